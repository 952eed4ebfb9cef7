using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.Evidence;

/// <summary>
/// One decision as a line of JSON, with the names and formats of flow records; a field that is absent does not apply.
/// <c>v</c> 1; <c>time</c>; <c>outcome</c> deleted, would_delete, restored, healed or restore_failed; the key: <c>family</c> <c>proto</c>
/// <c>proto_num</c> <c>src</c> <c>sport</c> <c>dst</c> <c>dport</c> <c>owner</c> <c>ifindex</c>; <c>reason</c> ended with <c>flow_id</c>
/// <c>ct_id</c> <c>end</c>, or missed_twice with <c>misses</c> <c>first_miss</c>; <c>nominated</c>; <c>zones</c> in which the kernel was
/// asked; <c>why</c> it was put back; <c>absent_ns</c>. Not thread-safe.
/// </summary>
internal sealed class EvidenceLine
{
    /// <summary>No line is longer.</summary>
    internal const int MaxLength = 1024;

    private readonly TimestampText _time = new(), _since = new(), _nominated = new();

    /// <returns>Bytes written; 0 when they do not fit.</returns>
    internal int Write(Span<byte> destination, in MapDecision decision)
    {
        Utf8Writer text = new(destination);
        text.Literal("{\"v\":1,\"time\":\""u8);
        _time.Write(ref text, decision.At);
        text.Literal("\",\"outcome\":\""u8);
        text.Literal(Of(decision.Outcome));
        text.Byte((byte)'"');
        Key(ref text, decision.Tombstone.Key);
        Nomination(ref text, decision.Tombstone);
        if (!MapKeys.IsShared(decision.Tombstone.Key.Tuple.Protocol))
            Number(ref text, ",\"zones\":"u8, decision.Zones);
        if (decision.Reason is { } why)
        {
            text.Literal(",\"why\":"u8);
            text.JsonString(why);
        }

        if (decision.AbsentNs > 0)
            Number(ref text, ",\"absent_ns\":"u8, decision.AbsentNs);
        text.Literal("}\n"u8);
        return text.Position;
    }

    private static void Key(ref Utf8Writer text, in MapKey key)
    {
        FlowTuple tuple = key.Tuple;
        bool hasPorts = !MapKeys.IsShared(tuple.Protocol);
        text.Literal(tuple.IsIPv6 ? ",\"family\":\"ipv6\","u8 : ",\"family\":\"ipv4\","u8);
        text.Literal(RecordNames.Protocols[(byte)tuple.Protocol]);
        Address(ref text, ",\"src\":\""u8, tuple.Source, tuple.Family);
        if (hasPorts)
            Number(ref text, ",\"sport\":"u8, tuple.SourcePort);
        Address(ref text, ",\"dst\":\""u8, tuple.Destination, tuple.Family);
        if (hasPorts)
            Number(ref text, ",\"dport\":"u8, tuple.DestinationPort);
        Address(ref text, ",\"owner\":\""u8, key.Owner, tuple.Family);
        if (key.InterfaceIndex != 0)
            Number(ref text, ",\"ifindex\":"u8, key.InterfaceIndex);
    }

    private void Nomination(ref Utf8Writer text, in TombstoneView tombstone)
    {
        if (tombstone.Reason == TombstoneReason.Ended)
        {
            text.Literal(",\"reason\":\"ended\",\"flow_id\":\""u8);
            Span<byte> uuid = stackalloc byte[36];
            tombstone.FlowId.ToGuid().TryFormat(uuid, out _);
            text.Literal(uuid);
            Number(ref text, "\",\"ct_id\":"u8, tombstone.ConntrackId);
            text.Literal(",\"end\":\""u8);
        }
        else
        {
            Number(ref text, ",\"reason\":\"missed_twice\",\"misses\":"u8, tombstone.Misses);
            text.Literal(",\"first_miss\":\""u8);
        }

        _since.Write(ref text, tombstone.Since);
        text.Literal("\",\"nominated\":\""u8);
        _nominated.Write(ref text, tombstone.NominatedAt);
        text.Byte((byte)'"');
    }

    private static void Address(ref Utf8Writer text, ReadOnlySpan<byte> name, in IpAddress address, FlowFamily family)
    {
        text.Literal(name);
        text.Address(address, family);
        text.Byte((byte)'"');
    }

    private static void Number(ref Utf8Writer text, ReadOnlySpan<byte> name, long value)
    {
        text.Literal(name);
        text.Number(value);
    }

    private static ReadOnlySpan<byte> Of(DeleteOutcome outcome) => outcome switch
    {
        DeleteOutcome.Deleted => "deleted"u8,
        DeleteOutcome.WouldDelete => "would_delete"u8,
        DeleteOutcome.Restored => "restored"u8,
        DeleteOutcome.Healed => "healed"u8,
        DeleteOutcome.RestoreFailed => "restore_failed"u8,
        _ => "kept"u8,
    };
}
