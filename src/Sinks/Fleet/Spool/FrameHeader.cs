using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Checkpoint;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>
/// What stands before the lines of a message, in memory and in the spool: its length, a checksum over all that follows, and which records
/// it has. Little-endian, as both processors are.
/// </summary>
/// <param name="Run">Of the service, one per start; a later start has a higher one.</param>
/// <param name="First">Sequence number of the first record within the run; the run's first is 1.</param>
/// <param name="Last">Sequence number of the last record.</param>
/// <param name="Latest">Latest time of the records, ns since the Unix epoch.</param>
/// <param name="UnreportedFrom">As <see cref="Pipeline.Changes.FlowChangeBatch.UnreportedLossFrom"/>, after the last record.</param>
/// <param name="Made">When the message was complete, ns since the Unix epoch.</param>
/// <param name="PreviousRun">In a run's first message: the run before; else 0.</param>
/// <param name="PreviousLast">The last sequence number of that run.</param>
internal readonly record struct FrameHeader(
    ulong Run, ulong First, ulong Last, long Latest, long UnreportedFrom, long Made, ulong PreviousRun = 0, ulong PreviousLast = 0)
{
    internal const int Length = 80;

    /// <summary>Bytes of lines that a message has at most.</summary>
    internal const int MaxPayload = 64 * 1024;

    private const uint Magic = 0x314E5343; // CSN1
    private const int ChecksumOffset = 8, CheckedFrom = 12, RunOffset = 16;

    /// <summary>The number of records.</summary>
    internal long Records => (long)(Last - First + 1);

    /// <summary>Completes a frame whose lines begin at <see cref="Length"/>.</summary>
    internal void Write(Span<byte> frame)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], frame.Length - Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[CheckedFrom..], 0); // reserved
        ReadOnlySpan<ulong> fields =
            [Run, First, Last, (ulong)Latest, (ulong)UnreportedFrom, (ulong)Made, PreviousRun, PreviousLast];
        MemoryMarshal.AsBytes(fields).CopyTo(frame[RunOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumOffset..], Crc32C.Append(uint.MaxValue, frame[CheckedFrom..]));
    }

    /// <summary>How long the frame is that begins here.</summary>
    /// <returns>False: none begins here.</returns>
    internal static bool TryLength(ReadOnlySpan<byte> start, out int length)
    {
        length = 0;
        if (start.Length < Length || BinaryPrimitives.ReadUInt32LittleEndian(start) != Magic)
            return false;
        int payload = BinaryPrimitives.ReadInt32LittleEndian(start[4..]);
        length = Length + payload;
        return payload is > 0 and <= MaxPayload;
    }

    /// <returns>False: the frame is damaged.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        header = default;
        if (!TryLength(frame, out int length) || length != frame.Length)
            return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[ChecksumOffset..]) != Crc32C.Append(uint.MaxValue, frame[CheckedFrom..]))
            return false;
        ReadOnlySpan<ulong> fields = MemoryMarshal.Cast<byte, ulong>(frame[RunOffset..Length]);
        header = new FrameHeader(
            fields[0], fields[1], fields[2], (long)fields[3], (long)fields[4], (long)fields[5], fields[6], fields[7]);
        return header.First <= header.Last;
    }
}
