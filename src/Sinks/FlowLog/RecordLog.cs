using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What makes one log of records differ from another.</summary>
/// <param name="Name">Of the sink, and of its files under the state directory.</param>
/// <param name="Target">Where they go: a path, a server.</param>
/// <param name="Options">Which records there are.</param>
/// <param name="Writer">How they look.</param>
/// <param name="Open">Where they go, and when the run before this one last wrote there, ns since the Unix epoch; null if that is not
/// known there. Called at the start.</param>
internal sealed record RecordLog(
    string Name, string Target, RecordOptions Options, IRecordWriter Writer, Func<(ILogOutput Output, long? LastWritten)> Open)
{
    /// <summary>The flow log's own filter; null for none.</summary>
    internal FlowLogFilterOptions? Flows { get; init; }

    /// <summary>Which flows are logged, of those that the options leave; null for all.</summary>
    internal FlowPredicate? Filter { get; init; }

    /// <summary>
    /// Where the output is empty: until when what is left of the log beside it goes, ns since the Unix epoch; null when nothing is left.
    /// What a run before this one wrote later is lost with the file it was in.
    /// </summary>
    internal Func<long?> LastWrittenElsewhere { get; init; } = static () => null;

    /// <summary>Name of the file under the state directory that keeps when a record was last written.</summary>
    internal string MarkerFileName => MarkName.Of(Name, Target, "last-written");

    /// <summary>The same, since when events are missing, until a gap record reports it.</summary>
    internal string LossFileName => MarkName.Of(Name, Target, "unreported-loss");

    /// <summary>The flow log.</summary>
    /// <param name="indexer">Null: rotated files have no index.</param>
    internal static RecordLog Of(
        FlowLogOptions options, TimeProvider time, ILogger logger, string? networkNamespace, FlowPredicate? isWanted, CausedEnds? ends,
        IFileIndexer? indexer = null)
    {
        return new RecordLog(FlowLogSink.SinkName, TargetOf(options), options, options.CreateWriter(networkNamespace, ends), Open)
        {
            Flows = options.Filter,
            Filter = isWanted,
            LastWrittenElsewhere = () => options.IsStandardOutput ? null : EarlierFiles.LastWritten(options.Path),
        };

        (ILogOutput, long?) Open()
        {
            if (options.IsStandardOutput)
                return (new StandardOutput(), null);
            FlowLogFile file = new(options.Path, options.Rotation, time, logger, indexer: options.Index ? indexer : null);
            return (file, file.LastWritten);
        }
    }

    private static string TargetOf(FlowLogOptions options) =>
        options.IsStandardOutput ? "standard output" : System.IO.Path.GetFullPath(options.Path);
}
