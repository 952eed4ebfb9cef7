using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>The 128-bit secret of a keyed hash.</summary>
public readonly record struct HashSeed(ulong A, ulong B)
{
    /// <summary>This process's own: the default hash of every key that remote hosts choose.</summary>
    public static readonly HashSeed Process = Random();

    /// <summary>A new secret from the kernel's random generator. The framework's would load OpenSSL: 4 MB for 16 bytes.</summary>
    /// <exception cref="IOException">There is no /dev/urandom.</exception>
    public static HashSeed Random()
    {
        Span<HashSeed> seed = stackalloc HashSeed[1];
        using FileStream random = new("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        random.ReadExactly(MemoryMarshal.AsBytes(seed));
        return seed[0];
    }
}
