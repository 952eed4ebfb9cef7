namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>
/// What a connection carries, see <see cref="TrafficShape.Of"/>. Sent as the client's first byte, so that the server does its part.
/// </summary>
public enum TrafficKind : byte
{
    /// <summary>A segment of 1,400 bytes from the server every 2 ms; the client only acknowledges.</summary>
    Download2Ms,

    /// <summary>Every 5 ms.</summary>
    Download5Ms,

    /// <summary>Every 20 ms.</summary>
    Download20Ms,

    /// <summary>As fast as the network takes it.</summary>
    DownloadUnpaced,

    /// <summary>10 bytes from the server every 100 ms.</summary>
    Push100Ms,

    /// <summary>10 bytes from the server every second.</summary>
    Push1S,

    /// <summary>10 bytes from the client every 100 ms, as telemetry.</summary>
    Report100Ms,

    /// <summary>10 bytes from the client every second.</summary>
    Report1S,

    /// <summary>A segment of 1,400 bytes from the client every 5 ms.</summary>
    Upload,

    /// <summary>10 bytes from the client every 20 ms, each returned.</summary>
    Echo,

    /// <summary>Silent until the client wakes, which is after the move; then as <see cref="Echo"/>.</summary>
    Idle,

    /// <summary>The client has sent its FIN; the server goes on, a segment every 5 ms.</summary>
    HalfClosed,

    /// <summary>The client reads nothing until it wakes, so that its window is full; the server sends all it can.</summary>
    WindowFull,
}
