using System.Text.Json;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>The fields of one record, in whichever order they come; the first problem ends the reading.</summary>
internal ref partial struct FlowRecord(Func<FlowExtras> extras)
{
    private const ulong Version = 1;

    private Flow _flow;
    private ReadOnlySpan<byte> _event, _family, _reason, _source, _destination, _replySource, _replyDestination;
    private long _time, _from, _to;
    private ulong? _version, _protocol, _sourcePort, _destinationPort, _replySourcePort, _replyDestinationPort;
    private ulong? _icmpType, _icmpCode, _icmpId, _replyIcmpId, _zone, _replyZone;
    private ulong? _sentPackets, _sentBytes, _receivedPackets, _receivedBytes, _lost, _recovered;
    private bool _isIngress;
    private ReadOnlySpan<byte> _nat; // of the format ecs, as are the next two
    private bool _hasSourceNat, _hasDestinationNat;

    internal string? Problem { get; private set; }

    internal readonly bool IsRefusal => _event.SequenceEqual("refused"u8);

    internal readonly bool IsGap => _event.SequenceEqual("gap"u8);

    /// <exception cref="JsonException">It is no JSON.</exception>
    internal bool TryRead(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader reader = new(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return Fail("expected an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<byte> name = reader.ValueSpan;
            reader.Read();
            if (!TryField(ref reader, name))
                return Fail($"field {ConntrackTextParser.Quote(name)} has the value {ConntrackTextParser.Quote(reader.ValueSpan)}");
        }

        reader.Read(); // anything after the object is an error
        return true;
    }

    private bool TryField(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        bool read = TryTextField(ref reader, name, out bool known);
        if (!known)
            read = TryNumberField(ref reader, name, out known);
        if (!known)
            reader.Skip(); // an object or array whole
        return read;
    }

    private bool TryTextField(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, out bool known)
    {
        known = true;
        if (name.SequenceEqual("event"u8))
            return TryText(ref reader, ref _event);
        if (name.SequenceEqual("family"u8))
            return TryText(ref reader, ref _family);
        if (name.SequenceEqual("src"u8))
            return TryText(ref reader, ref _source);
        if (name.SequenceEqual("dst"u8))
            return TryText(ref reader, ref _destination);
        if (name.SequenceEqual("reply_src"u8))
            return TryText(ref reader, ref _replySource);
        if (name.SequenceEqual("reply_dst"u8))
            return TryText(ref reader, ref _replyDestination);
        if (name.SequenceEqual("reason"u8))
            return TryText(ref reader, ref _reason);
        if (name.SequenceEqual("time"u8))
            return TryTime(ref reader, ref _time, FlowFields.None);
        if (name.SequenceEqual("start"u8))
            return TryTime(ref reader, ref _flow.StartTime, FlowFields.StartTime);
        if (name.SequenceEqual("end"u8))
            return TryTime(ref reader, ref _flow.StopTime, FlowFields.StopTime);
        if (name.SequenceEqual("from"u8))
            return TryTime(ref reader, ref _from, FlowFields.None);
        if (name.SequenceEqual("to"u8))
            return TryTime(ref reader, ref _to, FlowFields.None);
        if (name.SequenceEqual("direction"u8))
            return TryDirection(ref reader);
        if (name.SequenceEqual("tcp_state"u8))
            return TryTcpState(ref reader);
        if (name.SequenceEqual("helper"u8))
            return TryHelper(ref reader);
        if (name.SequenceEqual("labels"u8))
            return TryLabels(ref reader);
        if (name.SequenceEqual("status"u8))
            return TryStatus(ref reader);
        known = false;
        return true;
    }

    private bool TryNumberField(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, out bool known)
    {
        known = true;
        return name switch
        {
            _ when name.SequenceEqual("v"u8) => TryNumber(ref reader, ulong.MaxValue, ref _version),
            _ when name.SequenceEqual("proto_num"u8) => TryNumber(ref reader, byte.MaxValue, ref _protocol),
            _ when name.SequenceEqual("sport"u8) => TryNumber(ref reader, ushort.MaxValue, ref _sourcePort),
            _ when name.SequenceEqual("dport"u8) => TryNumber(ref reader, ushort.MaxValue, ref _destinationPort),
            _ when name.SequenceEqual("reply_sport"u8) => TryNumber(ref reader, ushort.MaxValue, ref _replySourcePort),
            _ when name.SequenceEqual("reply_dport"u8) => TryNumber(ref reader, ushort.MaxValue, ref _replyDestinationPort),
            _ when name.SequenceEqual("icmp_type"u8) => TryNumber(ref reader, byte.MaxValue, ref _icmpType),
            _ when name.SequenceEqual("icmp_code"u8) => TryNumber(ref reader, byte.MaxValue, ref _icmpCode),
            _ when name.SequenceEqual("icmp_id"u8) => TryNumber(ref reader, ushort.MaxValue, ref _icmpId),
            _ when name.SequenceEqual("reply_icmp_id"u8) => TryNumber(ref reader, ushort.MaxValue, ref _replyIcmpId),
            _ when name.SequenceEqual("zone"u8) => TryNumber(ref reader, ushort.MaxValue, ref _zone),
            _ when name.SequenceEqual("reply_zone"u8) => TryNumber(ref reader, ushort.MaxValue, ref _replyZone),
            _ when name.SequenceEqual("ct_id"u8) => TryUInt32(ref reader, ref _flow.Id, FlowFields.Id),
            _ when name.SequenceEqual("mark"u8) => TryUInt32(ref reader, ref _flow.Mark, FlowFields.Mark),
            _ when name.SequenceEqual("tx_packets"u8) => TryNumber(ref reader, ulong.MaxValue, ref _sentPackets),
            _ when name.SequenceEqual("tx_bytes"u8) => TryNumber(ref reader, ulong.MaxValue, ref _sentBytes),
            _ when name.SequenceEqual("rx_packets"u8) => TryNumber(ref reader, ulong.MaxValue, ref _receivedPackets),
            _ when name.SequenceEqual("rx_bytes"u8) => TryNumber(ref reader, ulong.MaxValue, ref _receivedBytes),
            _ when name.SequenceEqual("lost"u8) =>
                reader.TokenType == JsonTokenType.Null || TryNumber(ref reader, long.MaxValue, ref _lost),
            _ when name.SequenceEqual("recovered"u8) =>
                reader.TokenType == JsonTokenType.Null || TryNumber(ref reader, long.MaxValue, ref _recovered),
            _ => !(known = false),
        };
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }
}
