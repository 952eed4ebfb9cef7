using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Records;

// Connections that the kernel refused between two times.
internal sealed partial class RecordEncoder
{
    private static readonly byte[] RefusedFrom = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.refused.from");
    private static readonly byte[] RefusedTo = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.refused.to");
    private static readonly byte[] RefusedDrop = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.refused.dropped");
    private static readonly byte[] RefusedEarlyDrop = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.refused.early_dropped");
    private static readonly byte[] RefusedChain = AttributeBytes.BeforeNumber(KnownAttributes.Field, "conntrack.refused.chain_too_long");
    private static readonly byte[] RefusedBody = AttributeBytes.Any([.. "refused: new connections"u8]);

    private void Refused(ref ProtoWriter record, RefusedFlows? refused)
    {
        record.Bytes(_namespace);
        if (refused is null)
            return;
        record.Field(Body, RefusedBody);
        Number(ref record, RefusedFrom, (ulong)refused.From);
        Number(ref record, RefusedTo, (ulong)refused.To);
        Number(ref record, RefusedDrop, (ulong)refused.Dropped);
        Number(ref record, RefusedEarlyDrop, (ulong)refused.Evicted);
        Number(ref record, RefusedChain, (ulong)refused.ChainTooLong);
    }
}
