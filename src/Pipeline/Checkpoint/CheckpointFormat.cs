namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>
/// The file: header, records, trailer; little-endian.
/// <code>
/// header   0 magic "CSFLOWID"   8 version u32   12 reserved u32   16 boot id (RFC 9562 bytes)   32 network namespace inode u64
/// record   flags u8, protocol u8, [zone u16], source and destination (4 or 16 each), ports 2×u16, instance u64,
///          sequence u64, conntrack id u32, [start i64], [packets u64, bytes u64]
/// trailer  number of records u64, CRC-32C u32 over all that precedes it
/// </code>
/// It is made for one machine and one version: a reader that finds another version ignores the file.
/// </summary>
internal static class CheckpointFormat
{
    internal const uint FormatVersion = 1;
    internal const int HeaderLength = 40;
    internal const int TrailerLength = 12;

    /// <summary>flags, protocol, zone, two IPv6 addresses, ports, instance, sequence, id, start, counters.</summary>
    internal const int MaxRecordLength = 1 + 1 + 2 + 32 + 4 + 8 + 8 + 4 + 8 + 16;

    internal static ReadOnlySpan<byte> Magic => "CSFLOWID"u8;

    [Flags]
    internal enum RecordFlags : byte
    {
        None = 0,
        IPv6 = 1 << 0,
        Zone = 1 << 1,
        Start = 1 << 2,
        Counters = 1 << 3,
        All = IPv6 | Zone | Start | Counters,
    }
}
