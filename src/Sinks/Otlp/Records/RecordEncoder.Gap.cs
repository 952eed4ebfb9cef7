using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Otlp.Records;

// A gap: events may be missing between two times.
internal sealed partial class RecordEncoder
{
    private static readonly byte[] GapReason = AttributeBytes.BeforeText(KnownAttributes.Field, "conntrack.gap.reason");
    private static readonly byte[] GapFrom = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.gap.from");
    private static readonly byte[] GapTo = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.gap.to");
    private static readonly byte[] GapLost = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.gap.lost");
    private static readonly byte[] GapRecovered = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.gap.recovered");

    private void Gap(ref ProtoWriter record, FlowGap? gap)
    {
        record.Bytes(_namespace);
        if (gap is null)
            return;
        ReadOnlySpan<byte> reason = RecordNames.Of(gap.Reason);
        record.Field(Body, AttributeBytes.Any([.. "gap: "u8, .. reason]));
        Text(ref record, GapReason, reason);
        Number(ref record, GapFrom, (ulong)gap.From, gap.From != 0);
        Number(ref record, GapTo, (ulong)gap.To, gap.To != 0);
        if (gap.Lost is { } lost)
            Number(ref record, GapLost, (ulong)lost);
        if (gap.Recovered is { } recovered)
            Number(ref record, GapRecovered, (ulong)recovered);
    }
}
