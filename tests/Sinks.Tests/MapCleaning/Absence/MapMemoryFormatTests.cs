using System.Buffers.Binary;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Sinks.MapCleaning.Absence;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

public sealed class MapMemoryFormatTests
{
    private const int Header = 48, Section = 12;

    private static readonly CheckpointIdentity Here = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 17);
    private static readonly MapMemory Memory = new(99, new MatchedGroups(3, 5, [7, ulong.MaxValue]));

    [Fact]
    public void What_is_written_is_read()
    {
        MapMemory read = MapMemoryFormat.Decode(MapMemoryFormat.Encode(Memory, Here), Here, out string? problem)!;
        Assert.Null(problem);
        Assert.Equal((99u, 3ul, 5ul), (read.MapId, read.Groups.SecretA, read.Groups.SecretB));
        Assert.Equal([7, ulong.MaxValue], read.Groups.Hashes);
    }

    [Fact]
    public void The_largest_file_is_read()
    {
        MapMemory most = new(1, new MatchedGroups(1, 1, [.. Enumerable.Range(0, MatchedGroups.MostGroups).Select(static i => (ulong)i)]));
        byte[] content = MapMemoryFormat.Encode(most, Here);
        Assert.InRange(content.Length, 1 << 20, MapMemoryFormat.MaxLength);
        Assert.Equal(most.Groups.Hashes, MapMemoryFormat.Decode(content, Here, out _)!.Groups.Hashes);
    }

    [Fact]
    public void Another_boot_or_namespace_is_no_fault_and_no_memory()
    {
        byte[] content = MapMemoryFormat.Encode(Memory, Here);
        Assert.Null(MapMemoryFormat.Decode(content, Here with { BootId = Guid.Empty }, out string? problem));
        Assert.Null(problem);
        Assert.Null(MapMemoryFormat.Decode(content, Here with { NetworkNamespace = 18 }, out problem));
        Assert.Null(problem);
    }

    [Fact]
    public void Any_bit_that_differs_is_noticed()
    {
        byte[] content = MapMemoryFormat.Encode(Memory, Here);
        for (int bit = 0; bit < content.Length * 8; bit++)
        {
            content[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(MapMemoryFormat.Decode(content, Here, out string? problem));
            Assert.NotNull(problem);
            content[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.NotNull(MapMemoryFormat.Decode(content, Here, out _));
    }

    [Fact]
    public void Any_length_that_differs_is_noticed()
    {
        byte[] content = [.. MapMemoryFormat.Encode(Memory, Here), 0];
        for (int length = 0; length <= content.Length; length++)
        {
            if (length == content.Length - 1)
                continue;
            Assert.Null(MapMemoryFormat.Decode(content.AsSpan(0, length), Here, out string? problem));
            Assert.NotNull(problem);
        }
    }

    [Theory]
    [InlineData(Header + 8, uint.MaxValue, "damaged (sections)")] // longer than what follows
    [InlineData(Header + 8, 24u, "damaged (length)")]
    [InlineData(Header + 8, 17u, "damaged (groups)")]
    [InlineData(Header + 8, 8u, "damaged (groups)")]
    [InlineData(12, 2u, "damaged (sections)")]
    [InlineData(12, uint.MaxValue, "damaged (sections)")]
    [InlineData(8, 2u, "version 2, this program reads 1")]
    public void A_file_with_a_right_checksum_is_still_examined(int offset, uint value, string expected)
    {
        byte[] content = MapMemoryFormat.Encode(Memory, Here);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(offset), value);
        Assert.Null(MapMemoryFormat.Decode(Sealed(content), Here, out string? problem));
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData(2u, 1u)]
    [InlineData(1u, 2u)]
    public void A_section_of_another_kind_or_version_is_passed_over(uint kind, uint version)
    {
        byte[] content = MapMemoryFormat.Encode(Memory, Here);
        byte[] other = [1, 2, 3];
        byte[] section = new byte[Section + other.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(section, kind);
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(4), version);
        BinaryPrimitives.WriteUInt32LittleEndian(section.AsSpan(8), (uint)other.Length);
        other.CopyTo(section, Section);
        byte[] both = [.. content[..Header], .. section, .. content[Header..]];
        BinaryPrimitives.WriteUInt32LittleEndian(both.AsSpan(12), 2);
        Assert.Equal(Memory.Groups.Hashes, MapMemoryFormat.Decode(Sealed(both), Here, out string? problem)!.Groups.Hashes);
        Assert.Null(problem);
    }

    private static byte[] Sealed(byte[] content)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(content.Length - 4), Crc32C.Append(0, content.AsSpan(..^4)));
        return content;
    }
}
