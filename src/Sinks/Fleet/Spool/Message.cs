using System.Buffers;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>
/// A message on its way to the server, with a buffer from the shared pool. Whoever takes it from the queue gives it back.
/// </summary>
internal sealed class Message
{
    private byte[]? _buffer;
    private readonly int _length;

    private Message(byte[] buffer, int length, in FrameHeader header, SpoolPosition? end)
    {
        (_buffer, _length, Header, End) = (buffer, length, header, end);
    }

    internal FrameHeader Header { get; }

    /// <summary>Where it ends in the spool; null when it is in memory only.</summary>
    internal SpoolPosition? End { get; }

    /// <summary>It counts against the limit of the memory for messages.</summary>
    internal bool IsQueued { get; init; }

    /// <summary>Its one record is a gap that stands for the records of the sequence numbers, which are lost.</summary>
    internal bool IsLoss { get; init; }

    /// <summary>Bytes of the frame.</summary>
    internal int Length => _length;

    /// <summary>The lines.</summary>
    internal ReadOnlyMemory<byte> Lines => _buffer.AsMemory(FrameHeader.Length, _length - FrameHeader.Length);

    /// <summary>Copies a frame.</summary>
    internal static Message Copy(
        ReadOnlySpan<byte> frame, in FrameHeader header, SpoolPosition? end, bool isQueued = false, bool isLoss = false)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(frame.Length);
        frame.CopyTo(buffer);
        return new Message(buffer, frame.Length, header, end) { IsQueued = isQueued, IsLoss = isLoss };
    }

    /// <summary>Gives the buffer back: once, and only when no call that reads the lines is under way.</summary>
    internal void Release()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
