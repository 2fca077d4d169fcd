// Ready components of @shipspeak/realtime.
import "./ui.css";

export { Announcer, type AnnouncerProps } from "./announcer.js";
export { ConnectionBanner, type ConnectionBannerProps } from "./connection-banner.js";
export { formatBytes, formatLeft, formatName } from "./format.js";
export { MeetingProgress, type MeetingProgressProps } from "./meeting-progress.js";
