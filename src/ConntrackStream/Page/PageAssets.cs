using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace ConntrackStream.Service.Page;

/// <summary>
/// The page's files, which are in the program. Their address has a hash of all of them, so a browser may keep them for ever; only the page
/// itself, which names that address, is asked for again.
/// </summary>
internal sealed class PageAssets
{
    internal const string Index = "index.html";

    private const string Prefix = "page/"; // of the resources' names, and of the addresses
    private const string Address = "{assets}"; // in index.html
    private const int VersionLength = 16;

    private readonly Dictionary<string, PageAsset> _assets = new(StringComparer.Ordinal);

    internal PageAssets()
    {
        SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal);
        Assembly program = typeof(PageAssets).Assembly;
        IEnumerable<string> resources =
            program.GetManifestResourceNames().Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal));
        foreach (string resource in resources)
            files.Add(resource[Prefix.Length..], Read(program, resource));
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, byte[] content) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(content);
        }

        Version = Convert.ToHexStringLower(hash.GetHashAndReset())[..VersionLength];
        files[Index] = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(files[Index]).Replace(Address, $"{Prefix}{Version}", StringComparison.Ordinal));
        foreach ((string name, byte[] content) in files)
            _assets.Add(name, new PageAsset(name, content));
    }

    /// <summary>Part of the files' address.</summary>
    internal string Version { get; }

    internal IEnumerable<string> Names => _assets.Keys;

    /// <param name="name">Such as app.js or uplot-1.6.32/uPlot.min.css.</param>
    internal PageAsset? Find(string name) => _assets.GetValueOrDefault(name);

    private static byte[] Read(Assembly program, string resource)
    {
        using Stream stream = program.GetManifestResourceStream(resource)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
