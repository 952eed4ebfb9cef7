using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// A network namespace to open sockets in. A socket belongs to the namespace of the thread that created it, whoever uses it later.
/// Holding one opened by name or path keeps that namespace alive, even when its name is removed and given to another: see
/// <see cref="Look"/>, <see cref="LetGo"/> and <see cref="Reopen"/>. Thread-safe.
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private const string NamedDirectory = "/run/netns";

    private readonly Lock _gate = new(); // the handle
    private SafeFileHandle? _handle; // null: the calling thread's own, or let go

    private NetworkNamespace(string name, SafeFileHandle? handle, NamespacePath? path = null)
    {
        Name = name;
        IsCurrent = handle is null;
        _handle = handle;
        _path = path;
    }

    /// <summary>The name or path it was opened by; empty for the current one.</summary>
    public string Name { get; }

    /// <summary>Work runs on the caller's own thread, without any privilege.</summary>
    public bool IsCurrent { get; }

    /// <summary>The namespace the calling thread is in.</summary>
    public static NetworkNamespace Current { get; } = new("", handle: null);

    /// <summary>Opens a namespace: null or empty for the current one, a text with a slash as a path, anything else as a name.</summary>
    /// <exception cref="NetlinkException">ENOENT: there is none; EACCES: not readable by this user.</exception>
    public static NetworkNamespace Open(string? nameOrPath) =>
        string.IsNullOrEmpty(nameOrPath) ? Current
        : nameOrPath.Contains('/', StringComparison.Ordinal) ? OpenPath(nameOrPath)
        : OpenName(nameOrPath);

    /// <summary>Opens what <c>ip netns add NAME</c> made.</summary>
    /// <exception cref="NetlinkException">ENOENT: there is none of that name.</exception>
    public static NetworkNamespace OpenName(string name) => Open(name, $"{NamedDirectory}/{name}");

    /// <summary>Opens a namespace file such as <c>/proc/PID/ns/net</c>.</summary>
    /// <exception cref="NetlinkException">ENOENT: there is no such file.</exception>
    public static NetworkNamespace OpenPath(string path) => Open(path, path);

    /// <summary>A namespace that only a descriptor leads to; takes ownership of it.</summary>
    internal static NetworkNamespace FromHandle(string name, SafeFileHandle handle) => new(name, handle);

    /// <summary>
    /// Runs <paramref name="work"/> inside the namespace, on a thread made for it, and waits for the end. Threads started inside inherit
    /// the namespace for good, pool workers too: <paramref name="work"/> opens sockets or reads /proc/sys/net, and
    /// never queues, awaits or starts a thread.
    /// </summary>
    /// <exception cref="NetlinkException">EPERM: entering needs CAP_SYS_ADMIN; EINVAL: the file is no network namespace. What
    /// <paramref name="work"/> throws comes through unchanged.</exception>
    public T Run<T>(Func<T> work)
    {
        if (IsCurrent)
            return work();
        SafeFileHandle handle = Hold();
        try
        {
            return RunIn(handle, work);
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    private T RunIn<T>(SafeFileHandle handle, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(handle);
                result = work();
            }
#pragma warning disable CA1031 // carried to the caller's thread as it is
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true, Name = "netns" };
        thread.UnsafeStart();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Action work) => Run(() =>
    {
        work();
        return 0;
    });

    /// <summary>In words, for messages.</summary>
    public override string ToString() => IsCurrent ? "the current network namespace" : $"network namespace '{Name}'";

    /// <summary>Closes the descriptor. Sockets opened in the namespace stay open.</summary>
    public void Dispose() => LetGo();

    private static NetworkNamespace Open(string name, string path)
    {
        NamespacePath origin = new(path);
        return new(name, OpenFile(path, $"opening network namespace '{name}'"), origin);
    }

    private static SafeFileHandle OpenFile(string path, string operation)
    {
        int fd = open(path, O_RDONLY | O_CLOEXEC, 0);
        if (fd >= 0)
            return new SafeFileHandle(fd, ownsHandle: true);
        Errno errno = LastErrno;
        throw new NetlinkException(operation, errno, errno == Errno.ENOENT ? $"{path} does not exist" : null);
    }

    private void Enter(SafeFileHandle handle)
    {
        if (setns((int)handle.DangerousGetHandle(), CLONE_NEWNET) == 0) // held by Hold, even when it is let go meanwhile
            return;
        Errno errno = LastErrno;
        throw new NetlinkException($"entering network namespace '{Name}'", errno, errno switch
        {
            Errno.EPERM => "this needs CAP_SYS_ADMIN",
            Errno.EINVAL => "the file is not a network namespace",
            _ => null,
        })
        {
            Step = NetlinkStep.EnteringNamespace,
        };
    }
}
