using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Names of files under the state directory that keep a moment of one output: another path or server has files of its own, so that
/// what a run wrote elsewhere says nothing of this one.
/// </summary>
internal static class MarkName
{
    /// <param name="sink">Whose it is.</param>
    /// <param name="target">Where the sink writes: a path, a server. The name has a hash of it, as it may hold anything.</param>
    /// <param name="moment">What the file keeps.</param>
    internal static string Of(string sink, string target, string moment) =>
        string.Create(CultureInfo.InvariantCulture, $"{sink}-{Hash(target):x16}.{moment}");

    /// <summary>FNV-1a of 64 bits. SHA-256 would load OpenSSL, which takes 4 MB for as long as the service runs.</summary>
    private static ulong Hash(string text)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ value) * 0x100000001B3;
        return hash;
    }
}
