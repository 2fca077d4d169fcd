import { Component, type ReactNode } from "react";
import { useConnection } from "../react/use-connection.js";

export interface RealtimeErrorBoundaryTexts {
  readonly title: string;
  readonly text: string;
  readonly retry: string;
}

const TEXTS: RealtimeErrorBoundaryTexts = {
  title: "This part of the page broke.",
  text: "The rest goes on.",
  retry: "Try again",
};

export interface RealtimeErrorBoundaryProps {
  readonly children?: ReactNode;
  /** In place of the built-in words. */
  readonly fallback?: (error: unknown, retry: () => void) => ReactNode;
  /** When one of these changes, the children are tried again. */
  readonly resetKeys?: readonly unknown[];
  readonly onError?: (error: unknown) => void;
  readonly texts?: Partial<RealtimeErrorBoundaryTexts>;
}

/** Keeps what breaks in one part of a page from breaking the rest; tried again by hand, and when the connection is back. */
export function RealtimeErrorBoundary(props: RealtimeErrorBoundaryProps) {
  const isLive = useConnection((now) => now.phase === "live");
  return <Boundary {...props} isLive={isLive} />;
}

interface BoundaryState {
  readonly broken: { readonly error: unknown } | null;
}

class Boundary extends Component<RealtimeErrorBoundaryProps & { readonly isLive: boolean }, BoundaryState> {
  override state: BoundaryState = { broken: null };

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { broken: { error } };
  }

  override componentDidCatch(error: unknown): void {
    this.props.onError?.(error);
  }

  override componentDidUpdate(
    before: Readonly<RealtimeErrorBoundaryProps & { readonly isLive: boolean }>,
  ): void {
    if (!this.state.broken) return;
    const { resetKeys = [], isLive } = this.props;
    const changed = resetKeys.some((key, index) => !Object.is(key, before.resetKeys?.[index]));
    if (changed || (isLive && !before.isLive)) this.retry();
  }

  readonly retry = (): void => this.setState({ broken: null });

  override render(): ReactNode {
    const { children, fallback, texts } = this.props;
    const { broken } = this.state;
    if (!broken) return children;
    if (fallback) return fallback(broken.error, this.retry);
    const words = { ...TEXTS, ...texts };
    return (
      <div className="rt-broken" role="alert">
        <p>
          <strong>{words.title}</strong> {words.text}
        </p>
        <button type="button" className="rt-button" onClick={this.retry}>
          {words.retry}
        </button>
      </div>
    );
  }
}
