using System.IO.Compression;
using System.Security.Cryptography;

namespace ConntrackStream.Service.Page;

/// <summary>A file of the page, as it is and compressed.</summary>
internal sealed class PageAsset
{
    private const int ShortestTag = 16;

    internal PageAsset(string name, byte[] content)
    {
        ContentType = TypeOf(Path.GetExtension(name));
        Plain = content;
        Tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..ShortestTag]}\"";
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(content);
        Gzip = compressed.ToArray();
    }

    internal string ContentType { get; }

    internal byte[] Plain { get; }

    internal byte[] Gzip { get; }

    /// <summary>Of the content, with its quotes.</summary>
    internal string Tag { get; }

    private static string TypeOf(string extension) => extension switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
}
