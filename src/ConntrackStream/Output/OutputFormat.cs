using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Output;

/// <summary>What <c>-o</c> says.</summary>
internal sealed record OutputFormat
{
    internal bool Json { get; init; }

    /// <summary>As <c>conntrack -o xml</c>.</summary>
    internal bool Xml { get; init; }

    /// <summary>As <c>conntrack -o save</c>: lines that load-file reads.</summary>
    internal bool Save { get; init; }

    /// <summary>The command of those lines: to make the entries again, or to delete them.</summary>
    internal bool SavesDeletions { get; init; }

    /// <summary>text was asked for by name; without either word a verb has its own default.</summary>
    internal bool IsText { get; init; }

    internal bool Extended { get; init; }

    internal bool Id { get; init; }

    internal bool Timestamp { get; init; }

    internal bool KernelTimestamps { get; init; }

    internal bool Labels { get; init; }

    /// <param name="programName">Finds the program that caused an event.</param>
    /// <exception cref="IOException">The file of label names cannot be read.</exception>
    internal ConntrackTextOptions ToText(Func<uint, string?>? programName = null) => new()
    {
        Extended = Extended,
        Id = Id,
        Timestamp = Timestamp,
        KernelTimestamps = KernelTimestamps,
        Labels = Labels ? ConntrackLabels.LoadIfThere() : null,
        ProgramName = programName,
    };

    /// <summary>For NDJSON of flows; <paramref name="networkNamespace"/> is named in each unless it is the caller's own.</summary>
    internal static IRecordWriter ToJson(string? networkNamespace) =>
        new FlowRecordWriter(Environment.MachineName, networkNamespace, FlowDirections.None, communityId: false);
}
