using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What one command line asks for, read and checked.</summary>
internal sealed record ConntrackJob
{
    internal required CommandKind Command { get; init; }

    internal required Given Given { get; init; }

    /// <summary>Which list <c>-L</c> shows.</summary>
    internal EntryList List { get; init; }

    internal FlowFamily Family { get; init; }

    /// <summary>Of <c>-h -p</c>.</summary>
    internal ProtocolSyntax? Protocol { get; init; }

    /// <summary>A bit for each <see cref="FlowEventType"/>.</summary>
    internal uint Events { get; init; }

    /// <summary>Of <c>-b</c>, in bytes.</summary>
    internal long BufferBytes { get; init; }

    internal required EntryTemplate Template { get; init; }

    /// <summary>Which bits of addresses count, and of an expectation's ports.</summary>
    internal required EntryTemplate Mask { get; init; }

    /// <summary>The tuple of a new expectation.</summary>
    internal required EntryTemplate Expected { get; init; }

    internal BitMatch Mark { get; init; }

    /// <summary>What the kernel is to compare within a dump, too.</summary>
    internal BitMatch? KernelStatus { get; init; }

    /// <summary>All of these must be set.</summary>
    internal LabelSet? Labels { get; init; }

    /// <summary>To be set or cleared; null with <see cref="Given.DeleteLabel"/>: all.</summary>
    internal LabelSet? ChangedLabels { get; init; }

    internal bool Has(Given options) => (Given & options) != Given.None;
}
