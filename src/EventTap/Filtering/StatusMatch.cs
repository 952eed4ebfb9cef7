using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>A condition on CTA_STATUS: all of <paramref name="Required"/> set, none of <paramref name="Excluded"/>.</summary>
public readonly record struct StatusMatch(FlowStatus Required, FlowStatus Excluded = FlowStatus.None)
{
    private const string Unreplied = "UNREPLIED"; // what conntrack-tools print for a flow without IPS_SEEN_REPLY

    private static readonly (string Name, FlowStatus Status)[] Names =
    [
        ("ASSURED", FlowStatus.Assured),
        ("SEEN_REPLY", FlowStatus.SeenReply),
        ("EXPECTED", FlowStatus.Expected),
        ("FIXED_TIMEOUT", FlowStatus.FixedTimeout),
        ("OFFLOAD", FlowStatus.Offload),
        ("HW_OFFLOAD", FlowStatus.HardwareOffload),
        ("CONFIRMED", FlowStatus.Confirmed),
        ("DYING", FlowStatus.Dying),
        ("HELPER", FlowStatus.Helper),
        ("SEQ_ADJUST", FlowStatus.SequenceAdjust),
        ("SRC_NAT", FlowStatus.SourceNat),
        ("DST_NAT", FlowStatus.DestinationNat),
    ];

    /// <summary>Whether a flow with this status fulfils it.</summary>
    public bool Matches(FlowStatus status) => (status & Required) == Required && (status & Excluded) == FlowStatus.None;

    /// <summary>
    /// Reads names joined by commas, all of which must hold, in any case; <c>!NAME</c> must not hold (both as <c>conntrack -u</c>).
    /// UNREPLIED is !SEEN_REPLY. conntrack's UNSET is refused: there it lets every flow through.
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
                    + $"{Unreplied}, each also with a leading !";
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
