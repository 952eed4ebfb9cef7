using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Reading;

/// <summary>What the sets' mirrors share.</summary>
internal sealed class Mirror(TimeProvider time, ILogger logger)
{
    /// <summary>Members put or looked at in one go: the gate is held for some microseconds.</summary>
    internal const int Slice = 64;

    /// <summary>Places swept in one go.</summary>
    internal const int SweepSlice = 2048;

    /// <summary>Guards every content: the reader changes it in short steps, a look-up holds it once.</summary>
    internal Lock Gate { get; } = new();

    internal TimeProvider Time { get; } = time;

    internal SetClock Clock { get; } = new(time);

    internal ILogger Logger { get; } = logger;

    /// <summary>Used by the reader only.</summary>
    internal GainLog Gains { get; } = new();
}
