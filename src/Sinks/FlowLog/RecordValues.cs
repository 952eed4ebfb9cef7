using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What a change means, the same in every format.</summary>
internal static class RecordValues
{
    /// <summary>ns since the Unix epoch; 0 = unknown.</summary>
    internal static long Start(in FlowChange change) => change.Start != 0 ? change.Start : change.Flow.KnownStart;

    /// <inheritdoc cref="Start"/>
    internal static long End(in FlowChange change) =>
        change.End != 0 ? change.End : change.Flow.Has(FlowFields.StopTime) ? change.Flow.StopTime : 0;

    /// <summary>By the tuples, and by IPS_SRC_NAT and IPS_DST_NAT: only those show that an ICMP id was translated.</summary>
    /// <returns>False: it is unknown.</returns>
    internal static bool TryNat(in Flow flow, out bool source, out bool destination)
    {
        source = flow.IsSourceNat || (flow.Status & FlowStatus.SourceNat) != FlowStatus.None;
        destination = flow.IsDestinationNat || (flow.Status & FlowStatus.DestinationNat) != FlowStatus.None;
        return flow.Has(FlowFields.BothTuples) || flow.Has(FlowFields.Status);
    }

    /// <summary>NAT gave the flow other ends: its reply tuple has another Community ID. (An ICMP id is no part of it.)</summary>
    internal static bool HasOtherReply(in Flow flow) => flow.IsSourceNat || flow.IsDestinationNat;

    /// <summary>Appends a time in the quote that <paramref name="name"/> ends with; nothing where it is unknown.</summary>
    internal static void WriteTime(ref Utf8Writer text, ReadOnlySpan<byte> name, TimestampText format, long time)
    {
        if (time == 0)
            return;
        text.Literal(name);
        format.Write(ref text, time);
        text.Byte((byte)'"');
    }
}
