-- Which kinds there are is known to the families alone: lists of one kind have the index of every kind.
drop index run_list_other;
