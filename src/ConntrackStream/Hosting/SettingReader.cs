using System.Text;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Reads sysctls of one network namespace by files opened there once: a file of /proc/sys/net stays with the namespace of the thread that
/// opened it, and no thread need enter it again. It does not keep the namespace alive.
/// </summary>
internal sealed class SettingReader : IDisposable
{
    private readonly Dictionary<string, SafeFileHandle> _files = new(StringComparer.Ordinal);

    internal SettingReader(NetworkNamespace networkNamespace, IEnumerable<string> names) => networkNamespace.Run(() =>
    {
        foreach (string name in names)
        {
            string path = $"{SysctlGuard.Directory}/{name}";
            if (File.Exists(path))
                _files[name] = File.OpenHandle(path);
        }
    });

    /// <summary>Null where this kernel has no such sysctl, or it cannot be read.</summary>
    internal string? Read(string name)
    {
        if (!_files.TryGetValue(name, out SafeFileHandle? file))
            return null;
        Span<byte> text = stackalloc byte[32];
        try
        {
            return Encoding.ASCII.GetString(text[..RandomAccess.Read(file, text, fileOffset: 0)]).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        foreach (SafeFileHandle file in _files.Values)
            file.Dispose();
    }
}
