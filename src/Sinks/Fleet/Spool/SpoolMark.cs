using System.Buffers.Binary;
using ConntrackStream.Pipeline.Checkpoint;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>How far the server has acknowledged: what is behind it is sent after a restart.</summary>
/// <param name="Position">Behind the last acknowledged message that is in the spool.</param>
/// <param name="Run">Of the last acknowledged message.</param>
/// <param name="Last">Its last sequence number.</param>
internal readonly record struct SpoolMark(SpoolPosition Position, ulong Run, ulong Last)
{
    internal const int Length = 40;

    private const uint Magic = 0x4D4E5343; // CSNM

    internal void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Position.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Position.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], Run);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], Last);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Crc32C.Append(uint.MaxValue, to[8..Length]));
    }

    /// <returns>Null: it is damaged, as by a kill in the middle of a write.</returns>
    internal static SpoolMark? Read(ReadOnlySpan<byte> from)
    {
        bool isWhole = from.Length == Length && BinaryPrimitives.ReadUInt32LittleEndian(from) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) == Crc32C.Append(uint.MaxValue, from[8..]);
        return isWhole
            ? new SpoolMark(
                new SpoolPosition(BinaryPrimitives.ReadInt64LittleEndian(from[8..]), BinaryPrimitives.ReadInt64LittleEndian(from[16..])),
                BinaryPrimitives.ReadUInt64LittleEndian(from[24..]), BinaryPrimitives.ReadUInt64LittleEndian(from[32..]))
            : null;
    }
}
