namespace ConntrackStream.Pipeline.Modules;

/// <summary>Can files be written there?</summary>
public static class DirectoryCheck
{
    /// <summary>Tries it with a file, as a mode tells nothing about read-only mounts, quotas or sandboxes.</summary>
    public static CheckResult Writable(string subject, string directory, string fix, bool mayBeMade)
    {
        string? existing = directory;
        while (mayBeMade && existing is not null && !Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing);
        if (existing is null || !Directory.Exists(existing))
            return CheckResult.Fail(subject, $"{directory} does not exist", fix);
        try
        {
            string probe = Path.Combine(existing, $".conntrack-stream-{Guid.NewGuid():N}");
            using FileStream file = new(probe, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Options = FileOptions.DeleteOnClose,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            return CheckResult.Ok(subject, existing == directory ? $"{directory} is writable" : $"{directory} can be made");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CheckResult.Fail(subject, $"{existing} is not writable: {e.Message}", fix);
        }
    }
}
