using System.Threading.Channels;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>What outlives a session and each session works with.</summary>
internal sealed class ExternalSessionParts
{
    private readonly long?[] _loggedAt = new long?[Enum.GetValues<LineFault>().Length]; // a reading task's, one at a time

    internal required ExternalOptions Options { get; init; }

    internal required IReadOnlyList<string> PathNames { get; init; }

    internal required IClassifierHost Host { get; init; }

    internal required TimeProvider Time { get; init; }

    internal required ILogger Logger { get; init; }

    internal required ExternalCounters Counters { get; init; }

    internal required QuestionTable Table { get; init; }

    /// <summary>Ids of questions to be written.</summary>
    internal required ChannelReader<long> Unsent { get; init; }

    /// <summary>Longest line of a question.</summary>
    internal int MaxQuestion => QuestionText.MaxLength + (6 * PathNames.Max(static name => (int?)name.Length) ?? 0);

    /// <summary>Whether something of a kind may be logged again, which is then noted.</summary>
    internal bool MayLog(LineFault kind, TimeSpan interval)
    {
        ref long? loggedAt = ref _loggedAt[(int)kind];
        if (loggedAt is { } before && Time.GetElapsedTime(before) < interval)
            return false;
        loggedAt = Time.GetTimestamp();
        return true;
    }
}
