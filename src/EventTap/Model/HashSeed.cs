using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ConntrackStream.EventTap.Model;

/// <summary>The 128-bit secret of a keyed hash.</summary>
public readonly record struct HashSeed(ulong A, ulong B)
{
    /// <summary>This process's own: the default hash of every key that remote hosts choose.</summary>
    public static readonly HashSeed Process = Random();

    /// <summary>A new secret from the system's random generator.</summary>
    public static HashSeed Random()
    {
        Span<HashSeed> seed = stackalloc HashSeed[1];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(seed));
        return seed[0];
    }
}
