using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// bpf(2), which the C library has no function for. Nothing throws here but for a descriptor already disposed: the errno is returned, since
/// ENOENT, EEXIST and ENOSPC are answers. A signal may interrupt any command (EINTR).
/// </summary>
internal static unsafe partial class Bpf
{
    internal const uint BPF_F_RDONLY = 1 << 3;
    internal const ulong BPF_ANY = 0;
    internal const ulong BPF_NOEXIST = 1;

    /// <summary>__NR_bpf.</summary>
    private static readonly nint CallNumber = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    internal static Errno Create(ref BpfMapCreate attributes, out SafeFileHandle map)
    {
        fixed (BpfMapCreate* at = &attributes)
            return Open(BpfCommand.MapCreate, at, sizeof(BpfMapCreate), out map);
    }

    /// <summary>BPF_OBJ_GET: the object may be of any kind, a program too.</summary>
    internal static Errno Get(string path, uint flags, out SafeFileHandle file)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            BpfObject attributes = new() { Pathname = name, FileFlags = flags };
            return Open(BpfCommand.ObjGet, &attributes, sizeof(BpfObject), out file);
        }
    }

    internal static Errno Pin(SafeFileHandle map, string path)
    {
        using Descriptor fd = new(map);
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            BpfObject attributes = new() { Pathname = name, Fd = fd.Number };
            return Call(BpfCommand.ObjPin, &attributes, sizeof(BpfObject));
        }
    }

    internal static Errno OpenId(uint id, uint flags, out SafeFileHandle map)
    {
        BpfId attributes = new() { Id = id, OpenFlags = flags };
        return Open(BpfCommand.MapGetFdById, &attributes, sizeof(BpfId), out map);
    }

    /// <summary>The next map of the machine after <paramref name="id"/>; ENOENT after the last.</summary>
    internal static Errno NextId(ref uint id)
    {
        BpfId attributes = new() { Id = id };
        Errno errno = Call(BpfCommand.MapGetNextId, &attributes, sizeof(BpfId));
        id = attributes.NextId;
        return errno;
    }

    internal static Errno Info(SafeFileHandle map, out BpfMapInfo info)
    {
        using Descriptor fd = new(map);
        fixed (BpfMapInfo* to = &info)
        {
            BpfInfo attributes = new() { Fd = fd.Number, Length = sizeof(BpfMapInfo), Info = to };
            return Call(BpfCommand.ObjGetInfoByFd, &attributes, sizeof(BpfInfo));
        }
    }

    /// <summary>One of the commands on one entry; the spans have the map's key and value size.</summary>
    internal static Errno Element(BpfCommand command, SafeFileHandle map, ReadOnlySpan<byte> key, Span<byte> value, ulong flags = BPF_ANY)
    {
        using Descriptor fd = new(map);
        fixed (byte* keyAt = key)
        fixed (byte* valueAt = value)
        {
            BpfElement attributes = new() { MapFd = fd.Number, Key = keyAt, Value = valueAt, Flags = flags };
            return Call(command, &attributes, sizeof(BpfElement));
        }
    }

    /// <summary>
    /// BPF_MAP_LOOKUP_BATCH over whole buckets, on from <paramref name="bucket"/>. ENOENT: these rows are the last. ENOSPC: none were
    /// copied, since there is no room for all of the next bucket.
    /// </summary>
    /// <param name="bucket">The kernel's token: 0 to begin with, changed by each call.</param>
    /// <param name="count">Room in keys and values, then how many there are.</param>
    internal static Errno LookupBatch(SafeFileHandle map, ref uint bucket, Span<byte> keys, Span<byte> values, ref int count)
    {
        using Descriptor fd = new(map);
        fixed (uint* token = &bucket)
        fixed (byte* keysAt = keys)
        fixed (byte* valuesAt = values)
        {
            BpfBatch attributes = new()
            {
                InBatch = token,
                OutBatch = token,
                Keys = keysAt,
                Values = valuesAt,
                Count = (uint)count,
                MapFd = fd.Number,
            };
            Errno errno = Call(BpfCommand.MapLookupBatch, &attributes, sizeof(BpfBatch));
            count = (int)attributes.Count;
            return errno;
        }
    }

    private static Errno Open(BpfCommand command, void* attributes, int size, out SafeFileHandle file)
    {
        Errno errno = Call(command, attributes, size, out nint fd); // the kernel sets O_CLOEXEC on each
        file = errno == Errno.None ? new SafeFileHandle(fd, ownsHandle: true) : new SafeFileHandle();
        return errno;
    }

    private static Errno Call(BpfCommand command, void* attributes, int size) => Call(command, attributes, size, out _);

    private static Errno Call(BpfCommand command, void* attributes, int size, out nint result)
    {
        while (true)
        {
            result = Libc.syscall(CallNumber, (nint)command, (nint)attributes, size);
            if (result >= 0)
                return Errno.None;
            Errno errno = LastErrno;
            if (errno != Errno.EINTR)
                return errno;
        }
    }

    /// <summary>A descriptor kept from being closed, and its number given to another file, while its number is in use.</summary>
    private readonly ref struct Descriptor
    {
        private readonly SafeFileHandle _file;

        internal Descriptor(SafeFileHandle file)
        {
            bool held = false;
            file.DangerousAddRef(ref held);
            _file = file;
        }

        internal int Number => (int)_file.DangerousGetHandle();

        public void Dispose() => _file.DangerousRelease();
    }
}
