"""Who may: tokens become principals, principals have grants."""
