using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>One look at the kernel's table: the rows of every view, the most first.</summary>
internal sealed record TopTable
{
    /// <summary>Flows that the filter lets pass.</summary>
    public required long Matching { get; init; }

    /// <summary>False for the first look, before which there is nothing to compare with.</summary>
    public required bool HasRates { get; init; }

    /// <summary>Whether the kernel counts packets and bytes (nf_conntrack_acct).</summary>
    public required bool HasCounters { get; init; }

    /// <summary>There are more addresses or services than are counted.</summary>
    public required bool LeftOut { get; init; }

    public required IReadOnlyList<TopFlow> Flows { get; init; }

    public required IReadOnlyList<TopGroup> Sources { get; init; }

    public required IReadOnlyList<TopGroup> Destinations { get; init; }

    public required IReadOnlyList<TopGroup> Services { get; init; }
}

/// <summary>Of one flow or of several.</summary>
/// <param name="Flows">How many.</param>
/// <param name="Rate">Bytes a second, both directions.</param>
/// <param name="Packets">Packets a second, both directions.</param>
/// <param name="Bytes">Since they began, both directions.</param>
internal readonly record struct TopFigures(long Flows, double Rate, double Packets, ulong Bytes)
{
    public static TopFigures operator +(TopFigures left, TopFigures right) => new(
        left.Flows + right.Flows, left.Rate + right.Rate, left.Packets + right.Packets, left.Bytes + right.Bytes);
}

/// <param name="Flow">As the kernel shows it.</param>
/// <param name="Figures">What it counted.</param>
/// <param name="Age">Seconds; below 0: the kernel keeps no times (nf_conntrack_timestamp).</param>
internal sealed record TopFlow(Flow Flow, TopFigures Figures, double Age)
{
    internal static double Rank(TopSort sort, TopFigures figures, double age) => sort == TopSort.Count ? age : TopGroup.Rank(sort, figures);
}

/// <param name="Name">Address, or protocol and port.</param>
/// <param name="Figures">The sum over its flows.</param>
internal sealed record TopGroup(string Name, TopFigures Figures)
{
    internal static double Rank(TopSort sort, TopFigures figures) => sort switch
    {
        TopSort.Rate => figures.Rate,
        TopSort.Packets => figures.Packets,
        TopSort.Bytes => figures.Bytes,
        _ => figures.Flows,
    };
}
