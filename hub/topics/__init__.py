"""The topic space: grammar, namespaces with their policies, patterns."""
