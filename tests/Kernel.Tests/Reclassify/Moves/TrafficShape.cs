namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>Who sends how much and how often.</summary>
internal sealed record TrafficShape
{
    private const int Segment = 1400, Message = 10;

    /// <summary>Bytes of one message from the server.</summary>
    internal int ServerBytes { get; private init; } = Segment;

    /// <summary>Time between its messages; zero: no pause, null: it sends none of its own.</summary>
    internal TimeSpan? ServerEvery { get; private init; }

    /// <summary>Bytes of one message from the client.</summary>
    internal int ClientBytes { get; private init; } = Message;

    /// <inheritdoc cref="ServerEvery"/>
    internal TimeSpan? ClientEvery { get; private init; }

    /// <summary>The server returns what it receives.</summary>
    internal bool Returns { get; private init; }

    /// <summary>The client sends only after it has been woken.</summary>
    internal bool Sleeps { get; private init; }

    /// <summary>The client reads only after it has been woken.</summary>
    internal bool ReadsLate { get; private init; }

    /// <summary>The client has closed its sending side.</summary>
    internal bool HalfClosed { get; private init; }

    internal static TrafficShape Of(TrafficKind kind) => kind switch
    {
        TrafficKind.Download2Ms => new() { ServerEvery = Ms(2) },
        TrafficKind.Download5Ms => new() { ServerEvery = Ms(5) },
        TrafficKind.Download20Ms => new() { ServerEvery = Ms(20) },
        TrafficKind.DownloadUnpaced => new() { ServerEvery = Ms(0) },
        TrafficKind.Push100Ms => new() { ServerEvery = Ms(100), ServerBytes = Message },
        TrafficKind.Push1S => new() { ServerEvery = Ms(1000), ServerBytes = Message },
        TrafficKind.Report100Ms => new() { ClientEvery = Ms(100) },
        TrafficKind.Report1S => new() { ClientEvery = Ms(1000) },
        TrafficKind.Upload => new() { ClientEvery = Ms(5), ClientBytes = Segment },
        TrafficKind.Echo => new() { ClientEvery = Ms(20), Returns = true },
        TrafficKind.Idle => new() { ClientEvery = Ms(20), Returns = true, Sleeps = true },
        TrafficKind.HalfClosed => new() { ServerEvery = Ms(5), HalfClosed = true },
        TrafficKind.WindowFull => new() { ServerEvery = Ms(0), ReadsLate = true },
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
