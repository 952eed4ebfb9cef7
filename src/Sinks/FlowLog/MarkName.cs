using System.Security.Cryptography;
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
        $"{sink}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)).AsSpan(0, 8))}.{moment}";
}
