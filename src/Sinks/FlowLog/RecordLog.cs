using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What makes one log of records differ from another.</summary>
/// <param name="Name">Of the sink, and of its files under the state directory.</param>
/// <param name="Options">Which records there are.</param>
/// <param name="Writer">How they look.</param>
/// <param name="Open">Where they go, and when the run before this one last wrote there, ns since the Unix epoch; null if that is not
/// known there. Called at the start.</param>
internal sealed record RecordLog(
    string Name, RecordOptions Options, IRecordWriter Writer, Func<(ILogOutput Output, long? LastWritten)> Open)
{
    /// <summary>The flow log's own filter; null for none.</summary>
    internal FlowLogFilterOptions? Flows { get; init; }

    /// <summary>Which flows are logged, of those that the options leave; null for all.</summary>
    internal FlowPredicate? Filter { get; init; }

    /// <inheritdoc cref="FlowLogSink.MarkerFileName"/>
    internal string MarkerFileName { get; init; } = $"{Name}.last-written";

    /// <inheritdoc cref="FlowLogSink.LossFileName"/>
    internal string LossFileName { get; init; } = $"{Name}.unreported-loss";

    /// <summary>The flow log.</summary>
    /// <param name="indexer">Null: rotated files have no index.</param>
    internal static RecordLog Of(
        FlowLogOptions options, TimeProvider time, ILogger logger, string? networkNamespace, FlowPredicate? isWanted, CausedEnds? ends,
        IFileIndexer? indexer = null)
    {
        return new RecordLog(FlowLogSink.SinkName, options, options.CreateWriter(networkNamespace, ends), Open)
        {
            Flows = options.Filter,
            Filter = isWanted,
            MarkerFileName = FlowLogSink.MarkerFileName,
            LossFileName = FlowLogSink.LossFileName,
        };

        (ILogOutput, long?) Open()
        {
            if (options.IsStandardOutput)
                return (new StandardOutput(), null);
            FlowLogFile file = new(options.Path, options.Rotation, time, logger, indexer: options.Index ? indexer : null);
            return (file, file.LastWritten);
        }
    }
}
