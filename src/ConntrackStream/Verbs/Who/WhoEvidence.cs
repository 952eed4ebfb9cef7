using System.Security.Cryptography;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Who;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>
/// A file with the answer for whoever has to hand it on: the question, each file that was read with its SHA-256, the records themselves as
/// they are in the files, the flows and the verdict. The files are read a second time for it, as far as they went when they were opened.
/// </summary>
internal sealed class WhoEvidence : IDisposable
{
    private const int BlockLength = 1 << 20;

    private readonly FileStream _file;
    private readonly HashSet<Guid> _left = []; // ids of flows that no record has shown yet
    private bool _isWhole;

    /// <param name="file">New, and removed unless evidence is written to it.</param>
    internal WhoEvidence(FileStream file) => _file = file;

    /// <summary>Makes the file, readable for its owner alone.</summary>
    /// <exception cref="IOException">It is there already, or cannot be made.</exception>
    internal static WhoEvidence Create(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a directory: name a new file in it for the evidence");
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory && !Directory.Exists(directory))
            throw new DirectoryNotFoundException($"{path} cannot be made: there is no directory {directory}; make it first");
        if (path == "-")
            throw new IOException("--evidence: - is not standard output here; name a new file");
        try
        {
            return new WhoEvidence(new FileStream(path, NewFile()));
        }
        catch (IOException e) when (FileStat.TryRead(path, out _))
        {
            throw new IOException($"{path} is there already, and is left as it is: name a new file for the evidence", e);
        }
    }

    internal static FileStreamOptions NewFile() => new()
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite, // its own hash is of this file, whatever has come to be at its path
        BufferSize = 64 * 1024,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    };

    /// <summary>Removes a file that has not become whole.</summary>
    public void Dispose()
    {
        bool isInPlace = IsInPlace;
        try
        {
            _file.Dispose();
        }
        catch (IOException) when (!_isWhole)
        {
            // there is no room for what is left in its buffer, either
        }

        if (!_isWhole && isInPlace)
            File.Delete(_file.Name);
    }

    /// <returns>The SHA-256 of the evidence itself, in hexadecimal digits.</returns>
    /// <exception cref="IOException">A file cannot be read or has changed since it was searched, or there is no room.</exception>
    internal string Write(
        WhoAnswer answer, WhoQuestion question, IReadOnlyList<WhoUnit> units, CliContext context, CancellationToken cancellation)
    {
        using (WhoJson json = new(_file))
        {
            json.Question(question, context.Time.UnixNanoseconds());
            HashSet<Guid> ids = [.. answer.Flows.Select(static life => life.Key.Id)];
            _left.UnionWith(ids);
            LineScan scan = new();
            int number = 0;
            foreach (IGrouping<ArchiveFile, WhoUnit> file in units.GroupBy(static unit => unit.File))
            {
                json.File(++number, file.Key, Hash(file.Key.Path, file.Key.Handle, file.Key.Length, cancellation));
                foreach (WhoUnit unit in file)
                    WriteRecords(json, number, unit, question, ids, scan, cancellation);
                if (file.Key is { IsRotated: true, IsUnchanged: false })
                    throw Changed(file.Key.Path);
            }

            if (_left.Count > 0) // a live log may grow, but not lose what was found in it
                throw Changed("a file");

            json.Answer(answer, question);
        }

        _file.Flush(flushToDisk: true);
        string hash = Hash(_file.Name, _file.SafeFileHandle, _file.Length, cancellation);
        if (!IsInPlace)
            throw new IOException($"{_file.Name} was removed or replaced while it was written, so there is no evidence: ask again");
        _isWhole = true;
        return hash;
    }

    /// <summary>Its path still names it: another file there is somebody else's.</summary>
    private bool IsInPlace => FileStat.TryRead(_file.SafeFileHandle, out FileStat own) && FileStat.TryRead(_file.Name, out FileStat there)
        && there.IsSameFile(own);

    private static IOException Changed(string file) =>
        new($"{file} has changed since it was searched, so there is no evidence of the answer: ask again");

    private void WriteRecords(
        WhoJson json, int file, WhoUnit unit, WhoQuestion question, HashSet<Guid> ids, LineScan scan, CancellationToken cancellation)
    {
        LifeTable gaps = new(question, unit.Log, unit.Number, unit.File.Log, unit.Format);
        FlowExtras extras = new();
        try
        {
            using ArchiveBytes source = unit.Read();
            scan.Run(source, question.Needles(unit.Format), OnLine, onProgress: null, cancellation);
        }
        catch (ArchiveDamageException)
        {
            // What was there has been written, and the verdict names the damage.
        }

        void OnLine(ReadOnlySpan<byte> line, bool isGap)
        {
            FlowEvent e = default;
            ArchiveLine fields = default;
            int before = gaps.Gaps.Count;
            if (isGap)
                gaps.Add(line, isGap);
            bool isWanted = isGap
                ? gaps.Gaps.Count > before && gaps.Gaps[^1].Overlaps(question.From, question.To)
                : ArchiveRecord.TryRead(unit.Format, line, ref e, ref fields, () => extras, out _, out _)
                    && fields.FlowId is { } id && ids.Contains(id);
            if (!isWanted)
                return;
            if (fields.FlowId is { } shown)
                _left.Remove(shown);
            json.Record(file, line);
        }
    }

    private static string Hash(string path, SafeFileHandle file, long length, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockLength];
        for (long at = 0; at < length;)
        {
            cancellation.ThrowIfCancellationRequested();
            int read = RandomAccess.Read(file, block.AsSpan(0, (int)Math.Min(block.Length, length - at)), at);
            if (read == 0)
                throw new IOException($"{path} has become shorter while it was read: its hash cannot be given");
            hash.AppendData(block, 0, read);
            at += read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
