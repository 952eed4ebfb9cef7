namespace ConntrackStream.Service.Api.Access;

/// <summary>What a connection came in by, and so what it may ask.</summary>
internal enum ListenerKind
{
    /// <summary>The Unix socket: its mode and group decide who connects.</summary>
    Socket,

    /// <summary><c>Api:Listen</c>.</summary>
    Tcp,

    /// <summary><c>Api:Metrics:Listen</c>: metrics and health, for everyone.</summary>
    Metrics,
}

/// <summary>A listener, as a feature of its connections.</summary>
internal sealed record Listener(ListenerKind Kind);
