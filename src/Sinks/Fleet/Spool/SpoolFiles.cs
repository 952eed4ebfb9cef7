using System.Globalization;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>The calls of the spool that depend on the disk; replaced in tests of a disk that is full.</summary>
internal class SpoolFiles : IDisposable
{
    private const string Prefix = "messages-", MarkName = "acknowledged", LockName = "lock";

    private readonly OwnedDirectory _directory;
    private readonly SafeFileHandle _lock;

    /// <param name="path">Made with mode 0700 if it is missing.</param>
    /// <exception cref="SettingFaultException">Another process uses it.</exception>
    /// <exception cref="IOException">It cannot be made, is another user's, or has links.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    internal SpoolFiles(string path)
    {
        _directory = OwnedDirectory.OpenState(path);
        try
        {
            _lock = _directory.OpenOrCreate(LockName, FileModes.State);
        }
        catch
        {
            _directory.Dispose();
            throw;
        }

        if (!FileCalls.IsLockedByAnother(_lock))
            return;
        Dispose();
        throw new SettingFaultException($"{path} is used by another process: give each its own State:Directory");
    }

    internal string Path => _directory.Path;

    internal string PathOf(long segment) => _directory.PathOf(NameOf(segment));

    internal string MarkPath => _directory.PathOf(MarkName);

    /// <summary>Numbers of the files that are there, ascending.</summary>
    internal IReadOnlyList<long> List() =>
    [
        .. Directory.EnumerateFileSystemEntries(Path, $"{Prefix}*")
            .Select(static path => long.TryParse(
                System.IO.Path.GetFileName(path.AsSpan())[Prefix.Length..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out long number) ? number : 0)
            .Where(static number => number > 0)
            .Order(),
    ];

    /// <exception cref="IOException">It cannot be made.</exception>
    internal SafeFileHandle Create(long segment) => _directory.Create(NameOf(segment), FileModes.State);

    /// <returns>Null where there is none.</returns>
    /// <exception cref="IOException">It cannot be opened, or must not be trusted: a link, another user's.</exception>
    internal SafeFileHandle? Open(long segment) => _directory.TryOpen(NameOf(segment));

    /// <summary>For the mark, and for what is cut off a segment.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    internal SafeFileHandle OpenToWrite(long segment) => _directory.OpenOrCreate(NameOf(segment), FileModes.State);

    /// <inheritdoc cref="Open" path="/exception"/>
    internal SafeFileHandle OpenMark() => _directory.OpenOrCreate(MarkName, FileModes.State);

    /// <exception cref="IOException">It cannot be deleted.</exception>
    internal void Delete(long segment) => _directory.Delete(NameOf(segment));

    /// <exception cref="IOException">Not all of it could be written.</exception>
    internal virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> data, long offset) => RandomAccess.Write(file, data, offset);

    /// <summary>Bytes that the disk has left for this user.</summary>
    /// <exception cref="IOException">It cannot be asked.</exception>
    internal virtual long FreeBytes() => new DriveInfo(Path).AvailableFreeSpace;

    public void Dispose()
    {
        _lock.Dispose();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    private static string NameOf(long segment) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{segment:x16}");
}
