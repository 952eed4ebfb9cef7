using System.Globalization;

namespace ConntrackStream.Pipeline.Files;

/// <summary>As whom the packaged unit runs. Root, who asks <c>doctor</c>, is another user than the service then.</summary>
public static class PackagedUser
{
    /// <summary>Its name in passwd(5).</summary>
    public const string Name = "conntrack-stream";

    /// <summary>This process is root's, and the file belongs to the packaged service: what root must not use is right for it.</summary>
    /// <param name="users">In the form of passwd(5).</param>
    public static bool IsOwnerOf(in FileStat file, string users = "/etc/passwd") =>
        FileTrust.OwnUser == 0 && file.UserId != 0 && IsIn(users, file.UserId);

    private static bool IsIn(string users, uint id)
    {
        try
        {
            return File.ReadLines(users).Select(static line => line.Split(':')).Any(fields =>
                fields.Length > 2 && fields[0] == Name && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out uint own)
                && own == id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
