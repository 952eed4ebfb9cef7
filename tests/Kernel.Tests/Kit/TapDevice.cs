using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A TAP device in a namespace: what its hosts send is read here as Ethernet frames, what is written here they receive.
/// Gone with its dispose.
/// </summary>
internal sealed unsafe class TapDevice : IDisposable
{
    private const nuint TUNSETIFF = 0x400454ca;
    private const short IFF_TAP = 2, IFF_NO_PI = 0x1000;
    private const int Ifreq = 40, Name = 16; // sizeof(struct ifreq), IFNAMSIZ

    internal TapDevice(KernelNamespace space, string name)
    {
        Handle = space.Run(() => Open(name));
    }

    internal SafeFileHandle Handle { get; }

    /// <summary>The next frame's length; 0 when none waits.</summary>
    internal int Read(Span<byte> into)
    {
        fixed (byte* data = into)
            return (int)Math.Max(0, KitLibc.read(Handle, data, (nuint)into.Length));
    }

    /// <summary>A frame for which there is no room, or that comes while the device is down, is lost, as on a wire.</summary>
    internal void Write(ReadOnlySpan<byte> frame)
    {
        fixed (byte* data = frame)
            _ = KitLibc.write(Handle, data, (nuint)frame.Length);
    }

    public void Dispose() => Handle.Dispose();

    private static SafeFileHandle Open(string name)
    {
        int fd = KitLibc.Check(KitLibc.open("/dev/net/tun", KitLibc.O_RDWR | KitLibc.O_NONBLOCK | KitLibc.O_CLOEXEC), "open(/dev/net/tun)");
        SafeFileHandle handle = new(fd, ownsHandle: true);
        byte* request = stackalloc byte[Ifreq];
        new Span<byte>(request, Ifreq).Clear();
        Encoding.ASCII.GetBytes(name, new Span<byte>(request, Name - 1)); // ifr_name
        *(short*)(request + Name) = IFF_TAP | IFF_NO_PI; // ifr_flags
        KitLibc.Check(KitLibc.ioctl(handle, TUNSETIFF, request), "ioctl(TUNSETIFF)");
        return handle;
    }
}
