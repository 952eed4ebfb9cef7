using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Sinks.Libc;

namespace ConntrackStream.Sinks.Files;

/// <summary>
/// The system calls of the flow log. The framework's file classes neither refuse a symbolic link on opening, nor tell a short write from a
/// whole one.
/// </summary>
internal static unsafe class FileCalls
{
    internal const short POLLOUT = 4;
    internal const int MSG_NOSIGNAL = 0x4000;

    /// <summary>Not in <see cref="Errno"/>'s own list.</summary>
    internal const Errno ENOTDIR = (Errno)20, EPIPE = (Errno)32, ENOTCONN = (Errno)107;

    private const int LockAttempts = 16;
    private const int LockPause = 20; // ms
    private const int F_OFD_SETLK = 37;
    private const short F_WRLCK = 1;

    /// <summary>write(2), again after EINTR.</summary>
    /// <returns>Bytes written, perhaps fewer than given; or minus the errno.</returns>
    internal static int Write(SafeFileHandle file, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            while (true)
            {
                nint written = write(file, from, (nuint)data.Length);
                if (written >= 0)
                    return (int)written;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

    /// <summary>send(2) that neither waits nor raises SIGPIPE; result as for <see cref="Write"/>.</summary>
    internal static int Send(SafeFileHandle socket, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
        {
            while (true)
            {
                nint written = send(socket, from, (nuint)data.Length, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (written >= 0)
                    return (int)written;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

    /// <summary>
    /// Locks the whole file against other writers, until it is closed, by an open-file-description lock (fcntl(2)); not by flock(2), which
    /// the framework takes for every reader: then no .NET program could read the log, and one that does could keep this one from starting.
    /// </summary>
    /// <returns>The errno: EAGAIN or EACCES when another open file has it locked.</returns>
    internal static Errno TryLock(SafeFileHandle file)
    {
        Flock whole = new() { Type = F_WRLCK };
        return fcntl(file, F_OFD_SETLK, &whole) == 0 ? Errno.None : LastErrno;
    }

    /// <summary>
    /// Locks the file as <see cref="TryLock"/> does. A child that this process is just starting has the descriptors of all open files until
    /// it becomes another program, and so the lock of one that has been closed here meanwhile: what goes by itself within a moment is no
    /// other instance.
    /// </summary>
    /// <returns>True: another one has it. A file system without locks is no reason to refuse.</returns>
    internal static bool IsLockedByAnother(SafeFileHandle file)
    {
        for (int attempt = 1; TryLock(file) is Errno.EAGAIN or Errno.EACCES; attempt++)
        {
            if (attempt == LockAttempts)
                return true;
            Wait(LockPause);
        }

        return false;
    }

    /// <summary>Waits for so long: for what nothing tells of.</summary>
    internal static void Wait(int milliseconds) => _ = poll(null, 0, milliseconds);

    /// <summary>Waits until the file takes data or fails, at most so long.</summary>
    internal static void WaitWritable(SafeFileHandle file, int milliseconds)
    {
        bool held = false;
        file.DangerousAddRef(ref held);
        try
        {
            Pollfd wanted = new() { Fd = (int)file.DangerousGetHandle(), Events = POLLOUT };
            _ = poll(&wanted, 1, milliseconds); // whatever it says, the next write tells
        }
        finally
        {
            file.DangerousRelease();
        }
    }
}
