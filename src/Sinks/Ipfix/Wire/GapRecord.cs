using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// A gap as options data of the observation domain: from, until, how many records it stands for, how many records this collector has not
/// been sent since the start, and the reason as the flow log names it.
/// </summary>
internal static class GapRecord
{
    /// <summary>deltaFlowCount of a gap with an unknown number of missing records.</summary>
    internal const ulong Unknown = ulong.MaxValue;

    private const int ReasonLength = 20;

    internal static Template Template { get; } = new(
        260,
        [
            new(Element.ObservationDomain, 4),
            new(Element.StartMilliseconds, 8),
            new(Element.EndMilliseconds, 8),
            new(Element.DeltaFlowCount, 8),
            new(Element.NotSentFlows, 8),
            new(Element.SelectorName, ReasonLength),
        ],
        scopes: 1);

    /// <param name="destination">As long as the record of the template.</param>
    /// <param name="domain">Observation domain id.</param>
    /// <param name="gap">What is reported.</param>
    /// <param name="total">Records not sent since the start, as far as known.</param>
    internal static void Write(Span<byte> destination, uint domain, FlowGap gap, ulong total)
    {
        FieldWriter fields = new(destination);
        fields.U32(domain);
        fields.Milliseconds(gap.From);
        fields.Milliseconds(gap.To);
        fields.U64(gap.Lost is { } lost ? (ulong)lost : Unknown);
        fields.U64(total);
        fields.Text(RecordNames.Of(gap.Reason), ReasonLength);
    }

    /// <summary>Refused connections: as many as there were packets of them, with the kind of the record in place of a reason.</summary>
    internal static void Write(Span<byte> destination, uint domain, RefusedFlows refused, ulong total)
    {
        FieldWriter fields = new(destination);
        fields.U32(domain);
        fields.Milliseconds(refused.From);
        fields.Milliseconds(refused.To);
        fields.U64((ulong)(refused.Dropped + refused.ChainTooLong));
        fields.U64(total);
        fields.Text(RecordNames.Of(FlowChangeKind.Refused), ReasonLength);
    }
}
