namespace ConntrackStream.Pipeline.Configuration;

/// <summary>
/// How many letters must be added, removed, replaced or exchanged with their neighbour (optimal string alignment), ignoring case.
/// </summary>
public static class EditDistance
{
    /// <summary>The name that a mistyped word most likely meant; null when none is so near that two thirds of the word are right.</summary>
    public static string? Nearest(string word, IEnumerable<string> names)
    {
        (int distance, string? nearest) = names.Select(name => (Between(word, name), (string?)name)).Order().FirstOrDefault();
        return distance <= Math.Max(word.Length > 2 ? 1 : 0, word.Length / 3) ? nearest : null;
    }

    private static int Between(string left, string right)
    {
        int[] before = [], row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int[] next = new int[row.Length];
            next[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                next[j] = Math.Min(row[j - 1] + (Same(i, j) ? 0 : 1), Math.Min(row[j], next[j - 1]) + 1);
                if (i > 1 && j > 1 && Same(i, j - 1) && Same(i - 1, j))
                    next[j] = Math.Min(next[j], before[j - 2] + 1);
            }

            (before, row) = (row, next);
        }

        return row[^1];

        bool Same(int i, int j) => char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
    }
}
