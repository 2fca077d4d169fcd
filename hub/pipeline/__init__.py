"""The data paths, each readable on one screen: publish, subscribe, poll, history."""
