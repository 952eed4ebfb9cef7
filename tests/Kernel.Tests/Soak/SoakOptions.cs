using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>The shape of a run. All randomness is the seed's; what the kernel makes of it is not repeated exactly.</summary>
internal sealed record SoakOptions
{
    public required int Seed { get; init; }

    /// <summary>Flows to open, at least.</summary>
    public required long Lifetimes { get; init; }

    /// <summary>Flows to open in a second, but where the loop is held up.</summary>
    public int Rate { get; init; } = 6_000;

    /// <summary>Tuples they share.</summary>
    public int Tuples { get; init; } = 120_000;

    /// <summary>Flows alive at one time, about.</summary>
    public int Alive { get; init; } = 12_000;

    /// <summary>Flows between two checkpoints.</summary>
    public int Checkpoint { get; init; } = 50_000;

    /// <summary>Flows between two overruns.</summary>
    public int Overrun { get; init; } = 20_000;

    /// <summary>Checkpoints between two flushes of the whole table.</summary>
    public int Flush { get; init; } = 2;

    /// <summary>One in so many steps of a deletion has its tuple reused within it.</summary>
    public int Provoke { get; init; } = 200;

    public TimeSpan Grace { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan ArmedWindow { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan AuditInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Of the kernel's entries, in s; those that live longer are renewed. Keys whose end is lost are held about that long.
    /// </summary>
    public int Timeout { get; init; } = 10;

    /// <summary>What the timer of a flow has left that is deleted by request, in s.</summary>
    public int HeldFor { get; init; } = 3;

    /// <summary>Of the event socket, in bytes; 2 MiB hold some 1600 events.</summary>
    public long ReceiveBuffer { get; init; } = 2 << 20;

    /// <summary>Guards that a negative control takes away.</summary>
    public MapLevers Levers { get; init; } = new();

    /// <summary>Told how far the run is.</summary>
    public Action<string>? Progress { get; init; }
}
