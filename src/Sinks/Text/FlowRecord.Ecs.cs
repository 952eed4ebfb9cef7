using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct FlowRecord
{
    /// <summary>Reads a record of the format ecs, whose translated ends are those that differ from the original direction.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    internal bool TryReadEcs(ReadOnlySpan<byte> line)
    {
        EcsLeaves leaves = new(line);
        while (leaves.Next())
        {
            if (!TryEcsField(ref leaves))
            {
                string path = $"{Encoding.UTF8.GetString(leaves.Outer)}.{Encoding.UTF8.GetString(leaves.Inner)}".Trim('.');
                return Fail($"field {path} {ConntrackTextParser.Quote(leaves.Name)} has the value "
                    + ConntrackTextParser.Quote(leaves.Reader.ValueSpan));
            }
        }

        if (!leaves.IsWhole)
            return Fail("expected one object");
        _version = Version;
        if (_nat.IsEmpty)
            return true;
        if (!_hasDestinationNat)
        {
            _replySource = _destination;
            _replySourcePort = _destinationPort;
        }

        if (!_hasSourceNat)
        {
            _replyDestination = _source;
            _replyDestinationPort = _sourcePort;
        }

        return true;
    }

    private bool TryEcsField(ref EcsLeaves leaves)
    {
        ref Utf8JsonReader reader = ref leaves.Reader;
        ReadOnlySpan<byte> outer = leaves.Outer, name = leaves.Name;
        if (outer.IsEmpty)
            return !name.SequenceEqual("@timestamp"u8) ? Pass(ref reader) : TryTime(ref reader, ref _time, FlowFields.None);
        if (outer.SequenceEqual("event"u8))
            return TryEcsEvent(ref reader, name);
        if (outer.SequenceEqual("network"u8))
            return TryEcsNetwork(ref reader, name);
        if (outer.SequenceEqual("source"u8))
            return leaves.Inner.IsEmpty
                ? TryEcsEnd(ref reader, name, ref _source, ref _sourcePort, ref _sentPackets, ref _sentBytes)
                : TryEcsNat(ref reader, name, ref _hasSourceNat, ref _replyDestination, ref _replyDestinationPort);
        if (outer.SequenceEqual("destination"u8))
            return leaves.Inner.IsEmpty
                ? TryEcsEnd(ref reader, name, ref _destination, ref _destinationPort, ref _receivedPackets, ref _receivedBytes)
                : TryEcsNat(ref reader, name, ref _hasDestinationNat, ref _replySource, ref _replySourcePort);
        return outer.SequenceEqual("conntrack"u8) ? TryEcsConntrack(ref reader, leaves.Inner, name) : Pass(ref reader);
    }

    private bool TryEcsEvent(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("action"u8))
            return TryAction(ref reader);
        if (name.SequenceEqual("reason"u8))
            return TryText(ref reader, ref _reason);
        if (name.SequenceEqual("start"u8))
            return TryTime(ref reader, ref _flow.StartTime, FlowFields.StartTime) && Set(ref _from, _flow.StartTime);
        if (name.SequenceEqual("end"u8))
            return TryTime(ref reader, ref _flow.StopTime, FlowFields.StopTime) && Set(ref _to, _flow.StopTime);
        return Pass(ref reader);
    }

    private bool TryAction(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> action = default;
        if (!TryText(ref reader, ref action))
            return false;
        foreach (FlowChangeKind kind in Enum.GetValues<FlowChangeKind>())
        {
            if (action.SequenceEqual(RecordNames.EcsAction(kind)))
                _event = RecordNames.Of(kind);
        }

        return !_event.IsEmpty;
    }

    private bool TryEcsNetwork(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("type"u8))
            return TryText(ref reader, ref _family);
        if (!name.SequenceEqual("iana_number"u8))
            return Pass(ref reader);
        ReadOnlySpan<byte> number = default;
        if (!TryText(ref reader, ref number) || !NumberText.TryParse(number, byte.MaxValue, out ulong protocol))
            return false;
        _protocol = protocol;
        return true;
    }

    private static bool TryEcsEnd(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref ReadOnlySpan<byte> address, ref ulong? port, ref ulong? packets,
        ref ulong? bytes)
    {
        if (name.SequenceEqual("ip"u8))
            return TryText(ref reader, ref address);
        if (name.SequenceEqual("port"u8))
            return TryNumber(ref reader, ushort.MaxValue, ref port);
        if (name.SequenceEqual("packets"u8))
            return TryNumber(ref reader, ulong.MaxValue, ref packets);
        return name.SequenceEqual("bytes"u8) ? TryNumber(ref reader, ulong.MaxValue, ref bytes) : Pass(ref reader);
    }

    private static bool TryEcsNat(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref bool isThere, ref ReadOnlySpan<byte> address, ref ulong? port)
    {
        isThere = true;
        if (name.SequenceEqual("ip"u8))
            return TryText(ref reader, ref address);
        return name.SequenceEqual("port"u8) ? TryNumber(ref reader, ushort.MaxValue, ref port) : Pass(ref reader);
    }

    private bool TryEcsConntrack(ref Utf8JsonReader reader, ReadOnlySpan<byte> inner, ReadOnlySpan<byte> name)
    {
        if (inner.SequenceEqual("gap"u8))
            return name switch
            {
                _ when reader.TokenType == JsonTokenType.Null => true,
                _ when name.SequenceEqual("lost"u8) => TryNumber(ref reader, long.MaxValue, ref _lost),
                _ when name.SequenceEqual("recovered"u8) => TryNumber(ref reader, long.MaxValue, ref _recovered),
                _ => Pass(ref reader),
            };
        if (!inner.IsEmpty)
            return Pass(ref reader);
        if (name.SequenceEqual("nat"u8))
            return TryText(ref reader, ref _nat);
        if (name.SequenceEqual("status"u8))
            return TryStatus(ref reader);
        if (name.SequenceEqual("tcp_state"u8))
            return TryTcpState(ref reader);
        if (name.SequenceEqual("labels"u8))
            return TryLabels(ref reader);
        if (name.SequenceEqual("helper"u8))
            return TryHelper(ref reader);
        if (name.SequenceEqual("id"u8))
            return TryUInt32(ref reader, ref _flow.Id, FlowFields.Id);
        bool isNumber = name.SequenceEqual("zone"u8) || name.SequenceEqual("reply_zone"u8) || name.StartsWith("icmp_"u8)
            || name.SequenceEqual("reply_icmp_id"u8) || name.SequenceEqual("mark"u8);
        return isNumber ? TryNumberField(ref reader, name, out _) : Pass(ref reader);
    }

    private static bool Set(ref long to, long value)
    {
        to = value;
        return true;
    }

    /// <summary>A value that is of no use here; an array whole.</summary>
    private static bool Pass(ref Utf8JsonReader reader)
    {
        reader.Skip();
        return true;
    }
}
