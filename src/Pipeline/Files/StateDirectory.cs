using System.Globalization;
using ConntrackStream.Pipeline.Configuration;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Pipeline.Files;

/// <summary>
/// The directory for what outlives the process, and files in it that are whole or not there. Where the disk does not take it, there is
/// nothing in it, and nothing can be written: the service does its work without.
/// </summary>
public sealed class StateDirectory : IDisposable
{
    private const int ENOSPC = 28, EROFS = 30, EDQUOT = 122, EIO = 5;

    private const int ClaimAttempts = 10;
    private static readonly TimeSpan ClaimPause = TimeSpan.FromMilliseconds(25);

    private readonly OwnedDirectory? _directory; // open as long as the process
    private readonly string _obstacle = "";

    private StateDirectory(OwnedDirectory directory) => (_directory, Path) = (directory, directory.Path);

    private StateDirectory(string path, string obstacle) => (Path, _obstacle) = (path, obstacle);

    /// <summary>State:Directory.</summary>
    public string Path { get; }

    /// <summary>Why nothing can be kept; null when something can.</summary>
    public string? Obstacle => _directory is null ? _obstacle : null;

    /// <summary>Makes it with mode 0700 if it is missing.</summary>
    /// <exception cref="SettingFaultException">It cannot be made, belongs to somebody else, or everybody may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    public static StateDirectory Open(string path)
    {
        try
        {
            return new StateDirectory(OwnedDirectory.OpenState(path));
        }
        catch (IOException e) when (e.HResult is ENOSPC or EROFS or EDQUOT or EIO) // the framework's IOExceptions carry the errno
        {
            return new StateDirectory(path, e.Message);
        }
        catch (IOException e)
        {
            throw new SettingFaultException($"State:Directory: {e.Message}", e);
        }
    }

    /// <summary>
    /// Keeps it from other services until this one ends: the marks of one run would be taken for another's, and a restart gap begin too
    /// late. May be called again.
    /// </summary>
    /// <exception cref="IOException">Another service has it.</exception>
    public async Task ClaimAsync(TimeProvider time, CancellationToken cancellation)
    {
        // A child that is just being started has the descriptors of its parent until it becomes another program, and the lock with them.
        for (int attempt = 1; _directory?.TryKeep() == false; attempt++)
        {
            if (attempt == ClaimAttempts)
                throw new IOException($"State:Directory: {Path} is used by another conntrack-stream; each service needs one of its own");
            await Task.Delay(ClaimPause, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Where a file of this name is.</summary>
    public string PathOf(string name) => System.IO.Path.Join(Path, name);

    /// <summary>Replaces a file in one step, with mode 0600 and on disk before it gets its name.</summary>
    /// <exception cref="IOException">It cannot be written: a full disk, for one.</exception>
    public void Write(string name, ReadOnlySpan<byte> content)
    {
        if (_directory is null)
            throw new IOException(_obstacle);
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
    public byte[]? Read(string name, int maxLength = 1 << 20)
    {
        using SafeFileHandle? file = _directory?.TryOpen(name);
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

    /// <summary>Nothing where there is no such file.</summary>
    /// <exception cref="IOException">It cannot be deleted.</exception>
    public void Delete(string name) => _directory?.Delete(name);

    public void Dispose() => _directory?.Dispose();

    /// <summary>For what is of no more use: a disk that does not let it go keeps it.</summary>
    public void TryDelete(string name)
    {
        try
        {
            Delete(name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is not read again: its name is that of a namespace that is not followed any more.
        }
    }
}
