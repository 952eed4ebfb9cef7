using System.Numerics;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>Names in records, as UTF-8.</summary>
internal static class RecordNames
{
    /// <summary><c>"proto":"tcp","proto_num":6</c> by protocol number.</summary>
    internal static readonly byte[][] Protocols = [.. Enumerable.Range(0, 256).Select(static number => Protocol((IpProtocol)number))];

    private static readonly byte[][] StatusBits =
        [.. Enumerable.Range(0, BitOperations.PopCount((uint)StatusNames.Named)).Select(static bit => Quoted((FlowStatus)(1u << bit)))];

    /// <summary>In quotes; of <see cref="StatusNames.Named"/>.</summary>
    internal static ReadOnlySpan<byte> StatusBit(int bit) => StatusBits[bit];

    internal static ReadOnlySpan<byte> Of(FlowDirection direction) => direction switch
    {
        FlowDirection.Ingress => "ingress"u8,
        FlowDirection.Egress => "egress"u8,
        FlowDirection.Internal => "internal"u8,
        FlowDirection.Forward => "forward"u8,
        _ => "unknown"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowOrigin origin) => origin switch
    {
        FlowOrigin.Event => "event"u8,
        FlowOrigin.Dump => "dump"u8,
        _ => "audit"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowChangeKind kind) => kind switch
    {
        FlowChangeKind.Started => "start"u8,
        FlowChangeKind.Updated => "update"u8,
        FlowChangeKind.Ended => "end"u8,
        FlowChangeKind.Refused => "refused"u8,
        _ => "gap"u8,
    };

    /// <summary><c>event.action</c> of the format ecs.</summary>
    internal static ReadOnlySpan<byte> EcsAction(FlowChangeKind kind) => kind switch
    {
        FlowChangeKind.Started => "flow-start"u8,
        FlowChangeKind.Updated => "flow-update"u8,
        FlowChangeKind.Ended => "flow-end"u8,
        FlowChangeKind.Refused => "refused"u8,
        _ => "gap"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowGapReason reason) => reason switch
    {
        FlowGapReason.Overrun => "overrun"u8,
        FlowGapReason.Reconnect => "reconnect"u8,
        FlowGapReason.Restart => "restart"u8,
        FlowGapReason.SinkQueueFull => "sink_queue_full"u8,
        FlowGapReason.NamespaceReplaced => "namespace_replaced"u8,
        FlowGapReason.EventsOff => "events_off"u8,
        FlowGapReason.AccountingOff => "accounting_off"u8,
        FlowGapReason.TimestampsOff => "timestamps_off"u8,
        FlowGapReason.RecordsMissing => "records_missing"u8,
        FlowGapReason.ClockSet => "clock_set"u8,
        _ => "sink_failed"u8,
    };

    internal static string Text(FlowGapReason reason) => Encoding.ASCII.GetString(Of(reason));

    private static byte[] Quoted(FlowStatus bit) => [(byte)'"', .. bit.Utf8Name(), (byte)'"'];

    private static byte[] Protocol(IpProtocol protocol)
    {
        string named = protocol.Utf8Name().IsEmpty ? "" : $"\"proto\":\"{protocol.Name()}\",";
        return Encoding.ASCII.GetBytes(FormattableString.Invariant($"{named}\"proto_num\":{(byte)protocol}"));
    }
}
