using System.Globalization;
using ConntrackStream.EventTap.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>The directory for what outlives the process, and files in it that are whole or not there.</summary>
internal sealed class StateDirectory
{
    private readonly OwnedDirectory _directory; // open as long as the process

    private StateDirectory(OwnedDirectory directory) => _directory = directory;

    internal string Path => _directory.Path;

    /// <summary>Makes it with mode 0700 if it is missing.</summary>
    /// <exception cref="IOException">It cannot be made, belongs to somebody else, or everybody may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    internal static StateDirectory Open(string path)
    {
        try
        {
            return new StateDirectory(OwnedDirectory.OpenState(path));
        }
        catch (IOException e)
        {
            throw new IOException($"State:Directory: {e.Message}", e);
        }
    }

    internal string PathOf(string name) => _directory.PathOf(name);

    /// <summary>Replaces a file in one step, with mode 0600 and on disk before it gets its name.</summary>
    internal void Write(string name, ReadOnlySpan<byte> content)
    {
        string temporary = name + ".tmp";
        using (FileStream file = new(_directory.Create(temporary, FileModes.State), FileAccess.Write, bufferSize: 0))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        _directory.Rename(temporary, name);
    }

    /// <summary>A file's content; null when there is none.</summary>
    /// <param name="maxLength">Bytes from which on it cannot be what is looked for.</param>
    /// <exception cref="IOException">It is not ours alone: another's, a link, or writable by others; or it is too long.</exception>
    internal byte[]? Read(string name, int maxLength = 1 << 20)
    {
        using SafeFileHandle? file = _directory.TryOpen(name);
        if (file is null)
            return null;
        long length = RandomAccess.GetLength(file);
        if (length > maxLength)
        {
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture, $"{PathOf(name)} has {length} bytes, more than the {maxLength} allowed"));
        }

        byte[] content = new byte[(int)length];
        return content[..RandomAccess.Read(file, content, fileOffset: 0)];
    }

    internal void Delete(string name) => _directory.Delete(name);
}
