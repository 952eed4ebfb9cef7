using System.Buffers.Binary;
using ConntrackStream.Pipeline.Checkpoint;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// The file that keeps a <see cref="MapMemory"/>: header, sections, checksum; little-endian.
/// <code>
/// header    0 magic "CSMAPMEM"   8 version u32   12 number of sections u32   16 boot id (RFC 9562 bytes)   32 network namespace u64
///          40 map id u32   44 reserved u32
/// section   kind u32, version u32, length of its content u32, content
///           kind 1, version 1: groups that have matched: secret 2×u64, hashes u64 each
/// end       CRC-32C u32 over all that precedes it
/// </code>
/// A section of another kind or version is passed over, so that a newer version's file can be read, and an older one's.
/// </summary>
public static class MapMemoryFormat
{
    /// <summary>A longer file is none of ours.</summary>
    public const int MaxLength = HeaderLength + SectionHeaderLength + SecretLength
        + (MatchedGroups.MostGroups * sizeof(ulong)) + RoomForOthers + sizeof(uint);

    private const uint FormatVersion = 1;
    private const int HeaderLength = 48;
    private const int SectionHeaderLength = 12;
    private const int SecretLength = 2 * sizeof(ulong);
    private const int RoomForOthers = 4 << 20; // sections of other kinds
    private const uint GroupsKind = 1, GroupsVersion = 1;

    private static ReadOnlySpan<byte> Magic => "CSMAPMEM"u8;

    public static byte[] Encode(MapMemory memory, CheckpointIdentity identity)
    {
        int groups = SecretLength + (memory.Groups.Hashes.Count * sizeof(ulong));
        byte[] content = new byte[HeaderLength + SectionHeaderLength + groups + sizeof(uint)];
        Span<byte> to = content;
        Magic.CopyTo(to);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], FormatVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], 1);
        identity.BootId.TryWriteBytes(to[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], identity.NetworkNamespace);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], memory.MapId);
        to = to[HeaderLength..];
        BinaryPrimitives.WriteUInt32LittleEndian(to, GroupsKind);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], GroupsVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], (uint)groups);
        to = to[SectionHeaderLength..];
        BinaryPrimitives.WriteUInt64LittleEndian(to, memory.Groups.SecretA);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], memory.Groups.SecretB);
        to = to[SecretLength..];
        foreach (ulong hash in memory.Groups.Hashes)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(to, hash);
            to = to[sizeof(ulong)..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(to, Crc32C.Append(0, content.AsSpan(..^sizeof(uint))));
        return content;
    }

    /// <param name="problem">What is wrong with the file; null also for one that is whole, but about
    /// another boot or network namespace.</param>
    /// <returns>Null when there is nothing to go by.</returns>
    public static MapMemory? Decode(ReadOnlySpan<byte> content, CheckpointIdentity identity, out string? problem)
    {
        problem = Verify(content);
        if (problem is not null)
            return null;
        if (new Guid(content.Slice(16, 16), bigEndian: true) != identity.BootId
            || BinaryPrimitives.ReadUInt64LittleEndian(content[32..]) != identity.NetworkNamespace)
        {
            return null;
        }

        MatchedGroups? groups = null;
        ReadOnlySpan<byte> rest = content[HeaderLength..^sizeof(uint)];
        for (uint left = BinaryPrimitives.ReadUInt32LittleEndian(content[12..]); left > 0; left--)
        {
            if (!TryReadSection(ref rest, out uint kind, out uint version, out ReadOnlySpan<byte> section))
                problem = "damaged (sections)";
            else if ((kind, version) == (GroupsKind, GroupsVersion) && !TryReadGroups(section, out groups))
                problem = "damaged (groups)";
            if (problem is not null)
                return null;
        }

        if (!rest.IsEmpty)
            problem = "damaged (length)";
        return groups is null || problem is not null ? null : new MapMemory(BinaryPrimitives.ReadUInt32LittleEndian(content[40..]), groups);
    }

    /// <summary>What is wrong with the file as a whole; null when nothing is.</summary>
    private static string? Verify(ReadOnlySpan<byte> content)
    {
        if (content.Length is < HeaderLength + sizeof(uint) or > MaxLength)
            return $"{content.Length} bytes, which is not the length of such a file";
        if (!content.StartsWith(Magic))
            return "not a file of what was learnt of a map";
        if (BinaryPrimitives.ReadUInt32LittleEndian(content[8..]) is not FormatVersion and uint version)
            return $"version {version}, this program reads {FormatVersion}";
        return BinaryPrimitives.ReadUInt32LittleEndian(content[^sizeof(uint)..]) == Crc32C.Append(0, content[..^sizeof(uint)])
            ? null
            : "damaged or truncated (checksum)";
    }

    private static bool TryReadSection(ref ReadOnlySpan<byte> rest, out uint kind, out uint version, out ReadOnlySpan<byte> section)
    {
        kind = version = 0;
        section = default;
        if (rest.Length < SectionHeaderLength)
            return false;
        kind = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        version = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        rest = rest[SectionHeaderLength..];
        if (length > (uint)rest.Length)
            return false;
        section = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    private static bool TryReadGroups(ReadOnlySpan<byte> section, out MatchedGroups? groups)
    {
        groups = null;
        int hashes = section.Length - SecretLength;
        if (hashes < 0 || hashes % sizeof(ulong) != 0 || hashes / sizeof(ulong) > MatchedGroups.MostGroups)
            return false;
        ulong[] read = new ulong[hashes / sizeof(ulong)];
        for (int i = 0; i < read.Length; i++)
            read[i] = BinaryPrimitives.ReadUInt64LittleEndian(section[(SecretLength + (i * sizeof(ulong)))..]);
        groups = new MatchedGroups(
            BinaryPrimitives.ReadUInt64LittleEndian(section), BinaryPrimitives.ReadUInt64LittleEndian(section[8..]), read);
        return true;
    }
}
