using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Sinks.Files.FileCalls;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Lines to an inherited descriptor, whatever it leads to: pipe, terminal, socket (the journal), redirected file. A slow reader makes
/// <see cref="Write"/> wait, which only holds up this sink's task; the wait ends with the token. A pipe or terminal is opened anew to be
/// non-blocking, since O_NONBLOCK on the inherited descriptor would reach every other process that shares it.
/// </summary>
internal sealed class StandardOutput : ILogOutput
{
    private const int WaitMilliseconds = 100; // how late a cancellation may be noticed

    private readonly SafeFileHandle _handle;
    private readonly bool _isSocket;

    /// <param name="descriptor">1, but for tests. It is not closed.</param>
    internal StandardOutput(int descriptor = 1)
    {
        _handle = new SafeFileHandle(descriptor, ownsHandle: false);
        if (!FileStat.TryRead(_handle, out FileStat stat))
            throw new FlowLogFileException("-", LastErrno, "standard output is closed");
        _isSocket = stat.Type == FileType.Socket;
        if (stat.Type is not (FileType.Fifo or FileType.CharacterDevice))
            return;
        int own = open($"/proc/self/fd/{descriptor}", O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
        if (own >= 0) // not permitted for another user's terminal: then its writes block
            _handle = new SafeFileHandle(own, ownsHandle: true);
    }

    public string Name => "standard output";

    public int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken)
    {
        error = Errno.None;
        int done = 0;
        while (done < lines.Length)
        {
            int written = _isSocket ? Send(_handle, lines[done..]) : FileCalls.Write(_handle, lines[done..]);
            if (written > 0)
            {
                done += written;
                continue;
            }

            error = written == 0 ? Errno.EIO : (Errno)(-written);
            if (error != Errno.EAGAIN || cancellationToken.IsCancellationRequested)
                break;
            WaitWritable(_handle, WaitMilliseconds);
            error = Errno.None;
        }

        return done;
    }

    /// <summary>Nothing to open: whoever reads it rotates it.</summary>
    public bool Reopen() => true;

    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }
}
