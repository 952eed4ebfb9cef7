using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>The directory for what outlives the process, and files in it that are whole or not there.</summary>
internal sealed class StateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private StateDirectory(string path) => Path = path;

    internal string Path { get; }

    /// <summary>Makes it with mode 0700 if it is missing.</summary>
    /// <exception cref="IOException">It cannot be made, or others may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    internal static StateDirectory Open(string path)
    {
        Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        if ((File.GetUnixFileMode(path) & UnixFileMode.OtherWrite) != UnixFileMode.None)
            throw new IOException($"{path}: everybody may write to it; State:Directory must belong to the service alone (chmod o-w)");
        return new StateDirectory(path);
    }

    internal string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Replaces a file in one step, with mode 0600 and on disk before it gets its name.</summary>
    internal void Write(string name, ReadOnlySpan<byte> content)
    {
        string path = PathOf(name), temporary = path + ".tmp";
        File.Delete(temporary);
        using (FileStream file = new(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>A file's content; null when there is none. Symbolic links are not followed.</summary>
    /// <param name="maxLength">Bytes from which on it cannot be what is looked for.</param>
    /// <exception cref="IOException">It is not ours alone: another's, or writable by others; it is no regular file, or too long.</exception>
    internal byte[]? Read(string name, int maxLength = 1 << 20)
    {
        using SafeFileHandle? file = Posix.OpenToRead(PathOf(name));
        if (file is null)
            return null;
        if (!Posix.TryStat(file, out Posix.Statx status) || (status.Mode & Posix.S_IFMT) != Posix.S_IFREG)
            throw new IOException("it is not a regular file");
        if (status.Uid != Posix.geteuid() || ((UnixFileMode)(status.Mode & 0xFFF) & WritableByOthers) != UnixFileMode.None)
            throw new IOException("it belongs to another user, or others may write to it");
        if (status.Size > (ulong)maxLength)
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"it has {status.Size} bytes, more than the {maxLength} allowed"));
        byte[] content = new byte[(int)status.Size];
        return content[..RandomAccess.Read(file, content, fileOffset: 0)];
    }

    internal void Delete(string name) => File.Delete(PathOf(name));
}
