using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>The kit's own bpf(2): commands and the members of union bpf_attr it uses (include/uapi/linux/bpf.h).</summary>
internal static unsafe partial class KitBpf
{
    internal const int BPF_MAP_CREATE = 0, BPF_MAP_LOOKUP_ELEM = 1, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3;
    internal const int BPF_PROG_LOAD = 5, BPF_OBJ_PIN = 6, BPF_OBJ_GET = 7, BPF_OBJ_GET_INFO_BY_FD = 15;
    internal const int BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21, BPF_MAP_LOOKUP_BATCH = 24;
    internal const uint BPF_MAP_TYPE_LRU_HASH = 9;
    internal const uint BPF_PROG_TYPE_SOCKET_FILTER = 1;
    internal const ulong BPF_ANY = 0, BPF_NOEXIST = 1;

    private const int NameLength = 16; // BPF_OBJ_NAME_LEN, with its 0

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321; // __NR_bpf

    [StructLayout(LayoutKind.Sequential)]
    internal struct MapAttr
    {
        public uint Type, KeySize, ValueSize, MaxEntries, Flags, InnerFd, Numa;
        public fixed byte Name[NameLength];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ElementAttr
    {
        public ulong MapFd; // u32 and its padding
        public void* Key;
        public void* Value;
        public ulong Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct BatchAttr
    {
        public void* In;
        public void* Out;
        public void* Keys;
        public void* Values;
        public uint Count, MapFd;
        public ulong ElementFlags, Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ProgramAttr
    {
        public uint Type, Instructions;
        public void* Code;
        public void* License;
        public uint LogLevel, LogSize;
        public void* Log;
        public uint KernelVersion, Flags;
        public fixed byte Name[NameLength];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ObjectAttr
    {
        public void* Path;
        public uint Fd, FileFlags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct InfoAttr
    {
        public uint Fd, Length;
        public void* Info;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MapInfo // struct bpf_map_info, as far as needed
    {
        public uint Type, Id, KeySize, ValueSize, MaxEntries, Flags;
        public fixed byte Name[NameLength];
    }

    /// <summary>The call's result, a descriptor or 0; the errno where it failed.</summary>
    internal static Errno Try<T>(int command, ref T attr, out int result)
        where T : unmanaged
    {
        fixed (T* pointer = &attr)
            result = (int)syscall(Number, command, pointer, sizeof(T));
        return result >= 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
    }

    /// <summary>A call that has to succeed.</summary>
    /// <exception cref="FlowMapException">It did not.</exception>
    internal static int Call<T>(int command, ref T attr, string operation)
        where T : unmanaged
    {
        Errno errno = Try(command, ref attr, out int result);
        return errno == Errno.None ? result : throw new FlowMapException(operation, errno);
    }

    internal static SafeFileHandle CreateMap(uint type, int keySize, int valueSize, uint capacity, string name)
    {
        MapAttr attr = new() { Type = type, KeySize = (uint)keySize, ValueSize = (uint)valueSize, MaxEntries = capacity };
        WriteName(attr.Name, name);
        return new SafeFileHandle(Call(BPF_MAP_CREATE, ref attr, $"creating the map {name}"), ownsHandle: true);
    }

    internal static void WriteName(byte* to, string name) => Encoding.ASCII.GetBytes(name, new Span<byte>(to, NameLength - 1));

    internal static uint Fd(SafeFileHandle handle) => (uint)handle.DangerousGetHandle();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint command, void* attr, nint size);
}
