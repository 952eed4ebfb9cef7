using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Output;

/// <summary>
/// Unbuffered writing to standard output by write(2). The framework's console stream hides EPIPE, so <c>watch | head -1</c> would never
/// end; its file stream writes at an offset of its own, over what others wrote to the same file.
/// </summary>
internal sealed class DescriptorStream(int descriptor) : Stream
{
    private readonly SafeFileHandle _file = new(descriptor, ownsHandle: false);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="BrokenPipeException">Nobody reads any more.</exception>
    /// <exception cref="IOException">Any other failure, such as a full disk.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int written = FileCalls.Write(_file, buffer);
            if (written >= 0)
            {
                buffer = buffer[written..];
                continue;
            }

            switch ((Errno)(-written))
            {
                case Errno.EAGAIN: // a terminal or pipe that another program made non-blocking
                    FileCalls.WaitWritable(_file, Timeout.Infinite);
                    break;
                case FileCalls.EPIPE:
                    throw new BrokenPipeException();
                case var errno:
                    throw new IOException($"writing to standard output: {NetlinkException.DescribeErrno(errno)}", (int)errno);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>The reader of standard output has gone, as <c>| head</c> does when it has enough: no failure, but the end.</summary>
internal sealed class BrokenPipeException() : IOException("nobody reads standard output any more");
