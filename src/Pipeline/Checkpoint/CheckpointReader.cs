using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using static ConntrackStream.Pipeline.Checkpoint.CheckpointFormat;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>Decodes one record after the other from bytes whose checksum was right.</summary>
internal ref struct CheckpointReader(ReadOnlySpan<byte> records)
{
    private ReadOnlySpan<byte> _rest = records;

    /// <summary>False at the end, or where the rest is no record (an unknown flag, or too short).</summary>
    internal bool TryRead(out CheckpointedFlow flow)
    {
        flow = default;
        if (_rest.IsEmpty)
            return false;
        RecordFlags flags = (RecordFlags)_rest[0];
        if ((flags & ~RecordFlags.All) != RecordFlags.None || _rest.Length < LengthOf(flags))
            return false;
        _rest = _rest[1..];
        Decode(flags, ref flow);
        return true;
    }

    private static int LengthOf(RecordFlags flags) => 1 + 1 + 4 + 16 + sizeof(uint)
        + (flags.HasFlag(RecordFlags.IPv6) ? 32 : 8) + (flags.HasFlag(RecordFlags.Zone) ? 2 : 0)
        + (flags.HasFlag(RecordFlags.Start) ? 8 : 0) + (flags.HasFlag(RecordFlags.Counters) ? 16 : 0);

    private void Decode(RecordFlags flags, ref CheckpointedFlow flow)
    {
        flow.Original.Protocol = (IpProtocol)Take(1)[0];
        flow.Original.Zone = flags.HasFlag(RecordFlags.Zone) ? TakeUInt16() : (ushort)0;
        bool isIPv6 = flags.HasFlag(RecordFlags.IPv6);
        flow.Original.Family = isIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        flow.Original.Source = isIPv6 ? IpAddress.FromIPv6(Take(16)) : IpAddress.FromIPv4(Take(4));
        flow.Original.Destination = isIPv6 ? IpAddress.FromIPv6(Take(16)) : IpAddress.FromIPv4(Take(4));
        flow.Original.SourcePort = TakeUInt16();
        flow.Original.DestinationPort = TakeUInt16();
        flow.Id = new FlowId(TakeUInt64(), TakeUInt64());
        flow.ConntrackId = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
        flow.StartTime = flags.HasFlag(RecordFlags.Start) ? (long)TakeUInt64() : 0;
        flow.HasCounters = flags.HasFlag(RecordFlags.Counters);
        flow.Packets = flow.HasCounters ? TakeUInt64() : 0;
        flow.Bytes = flow.HasCounters ? TakeUInt64() : 0;
    }

    private ushort TakeUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    private ulong TakeUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    private ReadOnlySpan<byte> Take(int count)
    {
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    internal readonly int Remaining => _rest.Length;
}
