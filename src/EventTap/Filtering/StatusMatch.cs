using System.Diagnostics.CodeAnalysis;
using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>A condition on CTA_STATUS: all of <paramref name="Required"/> set, none of <paramref name="Excluded"/>.</summary>
public readonly record struct StatusMatch(FlowStatus Required, FlowStatus Excluded = FlowStatus.None)
{
    private const string Unset = "UNSET";
    private static readonly string Unreplied = Encoding.ASCII.GetString(StatusNames.Unreplied);

    // In the order of use. SRC_NAT_DONE, DST_NAT_DONE, TEMPLATE and NAT_CLASH are the bookkeeping of the kernel.
    private static readonly (string Name, FlowStatus Status)[] Names =
    [
        .. new[]
        {
            FlowStatus.Assured, FlowStatus.SeenReply, FlowStatus.Expected, FlowStatus.FixedTimeout, FlowStatus.Offload,
            FlowStatus.HardwareOffload, FlowStatus.Confirmed, FlowStatus.Dying, FlowStatus.Helper, FlowStatus.SequenceAdjust,
            FlowStatus.SourceNat, FlowStatus.DestinationNat,
        }.Select(static bit => (Encoding.ASCII.GetString(bit.Utf8Name()), bit)),
    ];

    /// <summary>Whether a flow with this status fulfils it.</summary>
    public bool Matches(FlowStatus status) => (status & Required) == Required && (status & Excluded) == FlowStatus.None;

    /// <summary>
    /// Reads names joined by commas, all of which must hold, in any case; <c>!NAME</c> must not hold (both as <c>conntrack -u</c>).
    /// UNREPLIED is !SEEN_REPLY. UNSET asks for nothing, as there: every flow whose status is known passes.
    /// </summary>
    public static bool TryParse(string? text, out StatusMatch match, [NotNullWhen(false)] out string? error)
    {
        match = default;
        FlowStatus required = FlowStatus.None, excluded = FlowStatus.None;
        foreach (string part in (text ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            bool negated = part.StartsWith('!');
            if (!TryGet(negated ? part[1..] : part, out FlowStatus status, ref negated))
            {
                error = $"'{part}' is not a status; allowed are {string.Join(", ", Names.Select(n => n.Name))}, "
                    + $"{Unreplied}, each also with a leading !, and {Unset}";
                return false;
            }

            if (negated)
                excluded |= status;
            else
                required |= status;
        }

        if ((required & excluded) != FlowStatus.None)
        {
            error = $"'{text}' can never hold: it asks for a status and for its opposite";
            return false;
        }

        match = new StatusMatch(required, excluded);
        error = null;
        return true;
    }

    private static bool TryGet(string name, out FlowStatus status, ref bool negated)
    {
        status = FlowStatus.None;
        if (name.Equals(Unset, StringComparison.OrdinalIgnoreCase))
            return !negated;
        if (name.Equals(Unreplied, StringComparison.OrdinalIgnoreCase))
        {
            negated = !negated;
            status = FlowStatus.SeenReply;
            return true;
        }

        status = Array.Find(Names, n => n.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Status;
        return status != FlowStatus.None;
    }
}
