// Ready components of @shipspeak/realtime.
import "./ui.css";

export { Announcer, type AnnouncerProps } from "./announcer.js";
export { ConnectionBanner, type ConnectionBannerProps } from "./connection-banner.js";
export { ConnectionDot, type ConnectionDotProps, type ConnectionDotTexts } from "./connection-dot.js";
export {
  RealtimeErrorBoundary,
  type RealtimeErrorBoundaryProps,
  type RealtimeErrorBoundaryTexts,
} from "./error-boundary.js";
export { formatBytes, formatClock, formatFigure, formatLeft, formatName } from "./format.js";
export { type LiveLine, LiveText, type LiveTextProps } from "./live-text.js";
export { MeetingProgress, type MeetingProgressProps } from "./meeting-progress.js";
export { NotificationBell, type NotificationBellProps } from "./notification-bell.js";
export { NotificationItem, type NotificationItemProps, type NotificationTexts } from "./notification-item.js";
export {
  NotificationList,
  type NotificationListProps,
  type NotificationListTexts,
} from "./notification-list.js";
export { NotificationToasts, type NotificationToastsProps } from "./notification-toasts.js";
export { OutboxBadge, type OutboxBadgeProps, type OutboxBadgeTexts } from "./outbox-badge.js";
export {
  PracticeFeedback,
  type PracticeFeedbackProps,
  type PracticeFeedbackTexts,
} from "./practice-feedback.js";
export { PresenceList, type PresenceListProps, type PresenceListTexts } from "./presence-list.js";
export { ProgressBar, type ProgressBarProps } from "./progress-bar.js";
export { ScoreRing, type ScoreRingProps } from "./score-ring.js";
export { Toaster, type ToasterProps, type ToasterTexts } from "./toaster.js";
export { closeToast, type Toast, type ToastAction, type ToastTone, toast } from "./toasts.js";
